"""What collection says of an item, on the wire: a copy to read. Dunning owns it: qualifications, promises, disputes, actions."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText
from libs.kit.db import Row


class ItemPromise(BaseModel):
    """A promise to pay that names the item; its amount is for all items it names."""

    id: UUID
    promised_on: date
    amount: AmountText
    currency: str = Field(examples=["EUR"])
    state: Literal["open", "kept", "partly", "broken"]


class ItemDispute(BaseModel):
    """A dispute that names the item."""

    id: UUID
    kind: str = Field(examples=["price"])
    state: Literal["open", "resolved"]


class ItemAction(BaseModel):
    """An action of the agenda that is still to be done."""

    id: UUID
    kind: str = Field(examples=["scenario"])
    channel: str = Field(examples=["email"])
    state: Literal["proposed", "to_confirm", "due"]
    due_on: date


class ItemFacts(BaseModel):
    """What collection says of an item."""

    status_code: str | None = Field(description="its qualification (/v1/statuses)", examples=["promise"])
    follow_up_on: date | None = Field(description="when to come back to it", examples=[None])
    resolution_owner: UUID | None = Field(description="the user who looks after it")
    excluded_by: str | None = Field(
        description="what keeps it out of its dunning scenario; null: nothing", examples=["specific_action"]
    )
    promise: ItemPromise | None = Field(description="the open one, else the latest")
    dispute: ItemDispute | None = Field(description="the open one, else the latest")
    next_action: ItemAction | None = Field(description="the next one due that names the item")


_NOTHING: dict[str, Any] = dict.fromkeys(ItemFacts.model_fields)
_decoder = msgspec.json.Decoder(dict[str, Any])


def facts_of(row: Row) -> dict[str, Any]:
    """The members of ItemFacts, from a row with `item_facts.SHOWN`."""
    return _NOTHING if row["facts"] is None else _decoder.decode(row["facts"])
