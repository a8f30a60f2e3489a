"""Finds the end of a JSON value in bytes, without reading what is inside it."""

import re

from services.ledger.domain.intake.errors import ImportFailed

_SPACE = re.compile(rb"[ \t\r\n]*")
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
#: Up to and with the next bracket outside texts.
_TO_BRACKET = re.compile(rb'(?:[^][{}"]++|"(?:[^"\\]++|\\.)*+")*+([][{}])', re.DOTALL)
_BARE = re.compile(rb'[^][{}",:\s]+')
#: Far more than any row may nest (that is the row's fault), yet little enough to give up soon on nothing but brackets.
_DEEPEST = 10_000
_CLOSES = {ord("{"): ord("}"), ord("["): ord("]")}


def after_space(data: bytes, start: int) -> int:
    """The position of the first byte at or after `start` that is not white space."""
    found = _SPACE.match(data, start)
    return found.end() if found else start


def value_end(data: bytes, start: int) -> int | None:
    """The position after the value that begins at `start`; None if it does not end within `data`. Raises ImportFailed
    `json_malformed` where brackets do not match or nothing that could be a value stands there."""
    first = data[start]
    if first in _CLOSES:
        return _closing(data, start)
    if first == ord('"'):
        text = _TEXT.match(data, start)
        return text.end() if text else None
    bare = _BARE.match(data, start)
    if bare is None:
        raise ImportFailed("json_malformed", "expected a value")
    return bare.end() if bare.end() < len(data) else None


def _closing(data: bytes, start: int) -> int | None:
    awaited: list[int] = []
    position = start
    while True:
        step = _TO_BRACKET.match(data, position)
        if step is None:
            return None
        position = step.end()
        bracket = data[position - 1]
        if bracket in _CLOSES:
            awaited.append(_CLOSES[bracket])
            if len(awaited) > _DEEPEST:
                raise ImportFailed(
                    "json_too_deep", f"expected at most {_DEEPEST} brackets within one another"
                )
        elif awaited.pop() != bracket:
            raise ImportFailed("json_malformed", "a bracket is closed by another kind of bracket")
        if not awaited:
            return position
