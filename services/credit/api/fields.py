"""What the bodies and paths of credit's API have in common."""

from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel, ConfigDict, Field

from libs.contracts.money import Amount, MoneyError, to_minor
from libs.kit.problems import invalid
from libs.kit.route import READS_FIRST

Currency = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217", examples=["EUR"])
#: Of a route that decides about money: what the ledger knows is read before (503 `ledger_behind` when that takes too long).
LEDGER_FIRST: dict[str, Any] = {READS_FIRST: ["ledger"]}
IfMatch = Annotated[str | None, Header(description="the ETag you read; 412 when somebody was quicker")]


class Input(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


def minor_of(amount: Amount, currency: str, pointer: str = "/amount") -> int:
    """Minor units of an amount that must not be negative. Raises 422 naming the field."""
    try:
        minor = to_minor(amount, currency)
    except MoneyError as error:
        field = "/currency" if error.code == "currency_unknown" else pointer
        raise invalid(field, error.code, error.detail) from None
    if minor < 0:
        raise invalid(pointer, "amount_negative", "expected zero or more")
    return minor
