"""The caller's own fields of an object: names to a text, a number, true or false. Numbers keep every digit."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

MAX_FIELDS = 30

_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode(text: str) -> dict[str, Any]:
    """The fields of a stored JSON text."""
    return _decoder.decode(text)


def encode(fields: Mapping[str, Any]) -> str:
    """The JSON text to store; a field set to null is no field."""
    return _encoder.encode({name: value for name, value in fields.items() if value is not None}).decode()


def replaced(stored: str, given: Mapping[str, Any] | None) -> str | None:
    """The text to store instead of the stored one; None where nothing is given or it says the same."""
    if given is None:
        return None
    text = encode(given)
    return None if decode(text) == decode(stored) else text


def same(stored: str, given: Mapping[str, Any]) -> bool:
    """Whether the stored text says what is given."""
    return replaced(stored, given) is None
