"""The tables of credit."""

from libs.kit.schema import metadata

METADATA = metadata()
