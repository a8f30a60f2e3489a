"""The tables of dunning."""

from libs.kit.schema import metadata

METADATA = metadata()
