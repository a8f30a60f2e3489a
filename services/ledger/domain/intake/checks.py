"""Rules of single values. Each raises RowRefused with what was expected."""

import re
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from msgspec import Raw

from services.ledger.domain.custom_fields import MAX_FIELDS
from services.ledger.domain.intake.errors import refuse

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2199, 12, 31)
_MAX_VERSION = 2**63 - 1
_DIGITS = re.compile(r"[0-9]{1,19}\Z")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_FIELD_NAME = 64
_LONGEST_FIELD_VALUE = 1000
_LONGEST_NUMBER = 40
_NUMBER = re.compile(rb"-?\d+(\.\d+)?\Z")
_field_text = msgspec.json.Decoder(str)


def version_of(given: int | str) -> int | None:
    """A source version as a number that grows: a counter as it is, an instant as microseconds since 1970 UTC."""
    if given == "":
        return None
    version = given if isinstance(given, int) else _version_in_words(given)
    if version is None or not 0 <= version <= _MAX_VERSION:
        raise refuse(
            "/source_version", "source_version_invalid", "expected a whole number ≥ 0 or an RFC 3339 instant"
        )
    return version


def _version_in_words(text: str) -> int | None:
    if _DIGITS.match(text):
        return int(text)
    if not _INSTANT.match(text):
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    if instant.tzinfo is None:
        return None
    elapsed = instant - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def custom_fields_text(fields: dict[str, Raw]) -> str | None:
    """The caller's own fields as the JSON text they came in: names to a text, a number, true, false or null."""
    if not fields:
        return None
    if len(fields) > MAX_FIELDS:
        raise refuse("/custom_fields", "custom_fields_invalid", f"expected up to {MAX_FIELDS} fields")
    for name, raw in fields.items():
        if not 0 < len(name) <= _LONGEST_FIELD_NAME:
            raise refuse(
                "/custom_fields",
                "text_invalid",
                f"expected field names of 1 to {_LONGEST_FIELD_NAME} characters",
            )
        _check_custom_value(bytes(raw), f"/custom_fields/{escape(name)}")
    return json_text(fields)


def _check_custom_value(token: bytes, pointer: str) -> None:
    if token[:1] == b'"':
        try:
            length = len(_field_text.decode(token))
        except ValueError:  # half a surrogate pair, bad UTF-8: Raw took it unread
            raise refuse(pointer, "json_text", "expected text in UTF-8 without lone surrogates") from None
        if length > _LONGEST_FIELD_VALUE:
            raise refuse(
                pointer, "text_invalid", f"expected a text of up to {_LONGEST_FIELD_VALUE} characters"
            )
    elif token not in (b"true", b"false", b"null") and not (
        len(token) <= _LONGEST_NUMBER and _NUMBER.match(token)
    ):
        raise refuse(pointer, "custom_field_invalid", "expected a text, a plain number, true, false or null")


def json_text(value: Any) -> str:
    """A nested part of a row as JSON text, for a jsonb column."""
    return msgspec.json.encode(value).decode()


def escape(name: str) -> str:
    """A name as one step of a JSON pointer (RFC 6901), cut to a length fit for an answer."""
    return name[:_LONGEST_FIELD_NAME].replace("~", "~0").replace("/", "~1")
