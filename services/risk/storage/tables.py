"""The tables of risk."""

from libs.kit.schema import metadata

METADATA = metadata()
