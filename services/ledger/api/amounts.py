"""Money and days on the ledger's wire: decimal strings outside, minor units inside."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import Field

from libs.contracts.money import MoneyError, from_minor, to_minor
from libs.kit.problems import invalid
from services.ledger.domain.intake.checks import FIRST_DAY, LAST_DAY
from services.ledger.usecases.accounts import Reach

#: A day in a request. Beyond 1900 to 2199 lies a typing error or a program's "never".
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Ids = Annotated[list[UUID] | None, Query(description="any of these; repeat the parameter")]
Texts = Annotated[list[str] | None, Query(description="any of these; repeat the parameter")]


def minor(value: Decimal, currency: str, pointer: str) -> int:
    """Minor units of an amount in a body. Raises 422 naming the member."""
    try:
        return to_minor(value, currency)
    except MoneyError as error:
        raise invalid(pointer, error.code, error.detail) from None


def optional_minor(value: Decimal | None, currency: str, pointer: str) -> int | None:
    """The same for an amount that may be missing."""
    return None if value is None else minor(value, currency, pointer)


def shown(value: int | None, currency: str) -> str | None:
    """The decimal string of minor units."""
    return None if value is None else from_minor(value, currency)


def reach_of(caller: Any) -> Reach:
    """What a caller reaches."""
    return Reach(caller.perimeter, caller.main_business_unit_id)
