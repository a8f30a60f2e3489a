"""The catalogue that all tables of risk stand in."""

from libs.kit.schema import metadata

METADATA = metadata()
