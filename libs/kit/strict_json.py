"""A JSON reader that refuses what the standard one lets through.

NaN and Infinity (a 500 later on), duplicate keys (two parsers, two truths), numbers passing through float (lost cents),
nesting that exhausts the stack, NUL characters and lone surrogates (PostgreSQL refuses both, far too late).
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

MAX_DEPTH = 64
MAX_NUMBER_LENGTH = 64


class JsonRefused(ValueError):
    """A body that is not acceptable JSON. `code`: json_malformed, json_duplicate_key, json_number, json_too_deep,
    json_text, json_encoding."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def loads(raw: bytes) -> Any:
    """Read a UTF-8 JSON document; fractions become Decimal. Raises JsonRefused."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonRefused("json_encoding", f"byte {error.start} is not UTF-8") from None
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise JsonRefused(
            "json_malformed", f"line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except RecursionError:
        raise JsonRefused("json_too_deep", f"nested deeper than {MAX_DEPTH} levels") from None
    _refuse_depth_and_text(value)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise JsonRefused("json_duplicate_key", f"the key {twice[:64]!r} stands twice in one object")
    return result


def _constant(name: str) -> NoReturn:
    raise JsonRefused("json_number", f"{name} is not a JSON number")


def _fraction(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_LENGTH:
        raise JsonRefused("json_number", "a number has too many digits")
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent that Decimal itself cannot hold
        raise JsonRefused("json_number", "a number is out of range") from None
    if number and abs(number.adjusted()) > MAX_NUMBER_LENGTH:
        raise JsonRefused("json_number", f"{text} is out of range")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise JsonRefused("json_number", "a number has too many digits")
    return int(text)


def _refuse_depth_and_text(value: Any) -> None:
    """Walk without recursion: the depth is checked here because the scanner's own limit is the interpreter's."""
    pending = [(value, 1)]
    while pending:
        node, depth = pending.pop()
        if isinstance(node, str):
            _refuse_text(node)
        elif isinstance(node, dict | list):
            if depth > MAX_DEPTH:
                raise JsonRefused("json_too_deep", f"nested deeper than {MAX_DEPTH} levels")
            if isinstance(node, dict):
                for key in node:
                    _refuse_text(key)
            pending.extend(
                (child, depth + 1) for child in (node.values() if isinstance(node, dict) else node)
            )


def _refuse_text(text: str) -> None:
    if text.isascii():
        if "\x00" in text:
            raise JsonRefused("json_text", "a text holds the NUL character")
        return
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise JsonRefused("json_text", "a text holds the NUL character or half of a surrogate pair")


_decoder = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_fraction, parse_int=_integer
)
