"""Kinds of values that several of the ledger's resources share, with the codes of their refusals."""

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pycountry
from fastapi import Header, Path, Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from libs.contracts.currencies import currency_codes
from libs.kit.problems import invalid
from services.ledger.domain.custom_fields import MAX_FIELDS

#: The default of a member that may be left out of a change but, when given, may not be null.
LEFT_OUT: Any = None
_MAX_FIELD_NAME = 64
_MAX_FIELD_VALUE = 1000


def _currency(value: str) -> str:
    if value not in currency_codes():
        raise PydanticCustomError("currency_unknown", "expected an ISO 4217 code such as EUR")
    return value


def _country(value: str) -> str:
    if pycountry.countries.get(alpha_2=value) is None:
        raise PydanticCustomError("country_unknown", "expected an ISO 3166 alpha-2 code such as FR")
    return value


def _custom_fields(value: Any) -> dict[str, Any]:
    """Names to texts, numbers, true, false or null. Numbers stay what the strict JSON reader made of them."""
    if not isinstance(value, dict) or len(value) > MAX_FIELDS:
        raise PydanticCustomError("custom_fields_invalid", f"expected an object of up to {MAX_FIELDS} fields")
    for name, content in value.items():
        if not 0 < len(name) <= _MAX_FIELD_NAME:
            raise PydanticCustomError(
                "custom_field_invalid", f"expected names of 1 to {_MAX_FIELD_NAME} characters"
            )
        too_long = isinstance(content, str) and len(content) > _MAX_FIELD_VALUE
        if too_long or not isinstance(content, str | int | Decimal | bool | None):
            raise PydanticCustomError(
                "custom_field_invalid",
                f"expected a text of up to {_MAX_FIELD_VALUE} characters, a number, true, false or null",
            )
    return value


class Input(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


CurrencyCode = Annotated[
    str,
    AfterValidator(_currency),
    Field(description="ISO 4217", min_length=3, max_length=3, examples=["EUR"]),
]
CountryCode = Annotated[
    str,
    AfterValidator(_country),
    Field(description="ISO 3166 alpha-2", min_length=2, max_length=2, examples=["FR"]),
]
Language = Annotated[
    str,
    Field(
        description="BCP 47: a language, and a region where it matters",
        pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$",
        examples=["fr"],
    ),
]
Email = Annotated[
    str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254, examples=["accounts.payable@example.com"])
]
ExternalId = Annotated[
    str,
    Field(
        description="your key; unique in the business unit",
        min_length=1,
        max_length=128,
        examples=["C-10442"],
    ),
]
CustomFields = Annotated[
    dict[str, Any],
    BeforeValidator(_custom_fields),
    WithJsonSchema(
        {
            "type": "object",
            "description": "your own fields: names to texts, numbers, true, false or null",
            "maxProperties": MAX_FIELDS,
            "additionalProperties": {
                "anyOf": [
                    {"type": "string", "maxLength": _MAX_FIELD_VALUE},
                    {"type": ["number", "boolean", "null"]},
                ]
            },
            "examples": [{"region": "South-East", "erp_group": "B2"}],
        }
    ),
]
Id = Annotated[UUID, Path(description="the object's id")]
IfMatch = Annotated[
    str | None, Header(description="the ETag you read; 412 when the object has changed since")
]
UpdatedSince = Annotated[
    AwareDatetime | None,
    Query(description="only what changed at or after this instant", examples=["2026-03-31T00:00:00Z"]),
]
CustomFieldFilter = Annotated[
    list[str] | None,
    Query(
        description="`name:value`: the field's value as text; repeat to narrow further",
        examples=[["region:South-East"]],
    ),
]


def custom_field_pairs(given: list[str] | None) -> list[tuple[str, str]]:
    """The (name, value) pairs of `custom_field=name:value`. Raises 422."""
    pairs = []
    for each in given or ():
        name, colon, value = each.partition(":")
        if not name or not colon:
            raise invalid("?custom_field", "custom_field_invalid", "expected name:value")
        pairs.append((name, value))
    return pairs
