"""The types the fields of a row are read into, each with the words and the code of its refusal.

Amounts and custom fields stay the bytes the sender wrote (`msgspec.Raw`): no figure passes through float, and what
PostgreSQL will parse as jsonb anyway is not parsed here first.
"""

from collections.abc import Iterator
from datetime import date
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from msgspec import Meta, Raw, Struct, UnsetType

__all__ = [
    "Country",
    "Currency",
    "CustomFields",
    "Day",
    "Id",
    "Key",
    "Language",
    "Money",
    "Name",
    "Note",
    "Version",
    "Word",
    "alternatives",
    "expected",
    "field_types",
    "refusal_of",
]


def expected(code: str, description: str, **limits: Any) -> Meta:
    """Limits of a value, with the code and the words ("expected …") of its refusal."""
    return Meta(description=description, extra={"code": code}, **limits)


def _text(least: int, most: int) -> Meta:
    words = f"a text of {least} to {most} characters" if least else f"a text of up to {most} characters"
    return expected("text_invalid", words, min_length=least, max_length=most)


Key = Annotated[str, _text(1, 128)]
Name = Annotated[str, _text(1, 300)]
Note = Annotated[str, _text(0, 500)]
Word = Annotated[str, _text(0, 128)]
Currency = Annotated[str, expected("currency_unknown", "an ISO 4217 code", min_length=3, max_length=3)]
Country = Annotated[str, expected("country_unknown", "an ISO 3166 alpha-2 code", min_length=2, max_length=2)]
Language = Annotated[
    str,
    expected("language_invalid", "a language code such as fr or fr-CH", pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$"),
]
Money = Annotated[Raw, expected("amount_invalid", 'a decimal such as "1234.56", text or number')]
Day = Annotated[date, expected("date_invalid", "a date YYYY-MM-DD that exists")]
Id = Annotated[UUID, expected("id_invalid", "a UUID")]
#: A counter, or the instant of the last change: whatever grows with each version of the row at its source.
Version = Annotated[
    int | str, expected("source_version_invalid", "a whole number ≥ 0 or an RFC 3339 instant")
]
CustomFields = Annotated[
    dict[str, Raw], expected("object_invalid", "an object of up to 100 fields", max_length=100)
]


def field_types(model: type[Struct]) -> dict[str, Any]:
    """The type of each field of a row model, in order."""
    hints = get_type_hints(model, include_extras=True)
    return {name: hints[name] for name in model.__struct_fields__}


def alternatives(hint: Any) -> tuple[Any, ...]:
    """What a value may be, null and absence left out: most often one type."""
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return tuple(part for part in parts if part not in (type(None), UnsetType))


def refusal_of(hint: Any) -> tuple[str, str]:
    """Code and wording for a value that is not of this type."""
    for part in alternatives(hint):
        for meta in _metas(part):
            if meta.extra:
                return str(meta.extra["code"]), f"expected {meta.description}"
        if get_origin(part) is Literal:
            return "value_unknown", "expected one of " + ", ".join(get_args(part))
    return (
        ("boolean_invalid", "expected true or false")
        if bool in alternatives(hint)
        else ("object_invalid", "expected an object")
    )


def _metas(part: Any) -> Iterator[Meta]:
    if get_origin(part) is Annotated:
        yield from (meta for meta in get_args(part)[1:] if isinstance(meta, Meta))
