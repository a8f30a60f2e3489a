"""The tables of sandbox."""

from libs.kit.schema import metadata

METADATA = metadata()
