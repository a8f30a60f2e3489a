"""What scenarios and assignments look like."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from libs.contracts.money import Amount, AmountText
from services.dunning.api.fields import ChannelName, Input, ModeName, Stamped
from services.dunning.domain.library import LIBRARY

Amounts = Annotated[
    dict[Annotated[str, Field(pattern=r"^[A-Z]{3}$")], Amount], Field(examples=[{"EUR": "50.00"}])
]
AmountTexts = Annotated[dict[str, AmountText], Field(examples=[{"EUR": "50.00"}])]
LibraryCode = Literal["standard", "soft", "risky", "public_sector"]
Hour = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["08:00"])]
assert set(LIBRARY) == set(LibraryCode.__args__), "the schema names the library"  # type: ignore[attr-defined]


class StepIn(Input):
    """One step. Give either offset_days or after_days."""

    offset_days: int | None = Field(
        None, description="from the leader's due date; negative: before it", examples=[5]
    )
    after_days: int | None = Field(None, description="since the step before was done", examples=[None])
    channel: ChannelName
    template_id: UUID | None = Field(None, description="of the message; a call or a task needs none")
    mode: ModeName = Field(description="sends itself, waits for a person's word, or is a person's work")
    assignee: UUID | None = Field(
        None, description="user who does it; the customer's collector when left out"
    )


class StepOut(BaseModel):
    """One step."""

    offset_days: int | None = Field(description="from the leader's due date; negative: before it")
    after_days: int | None = Field(description="since the step before was done")
    channel: ChannelName
    template_id: UUID | None
    mode: ModeName
    assignee: UUID | None


class Sending(Input):
    """When its messages may leave, where the customer is."""

    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field(
        [1, 2, 3, 4, 5], min_length=1, max_length=7, description="1 is Monday", examples=[[1, 2, 3, 4, 5]]
    )
    opens: Hour = "08:00"
    closes: Hour = "18:00"
    calendar: Annotated[str, Field(pattern=r"^(customer|house|none|[A-Z]{2})$")] = Field(
        "customer",
        description="whose public holidays are left out: the customer's country, yours, a country's, nobody's",
    )


class What(Input):
    """What a scenario says."""

    steps: list[StepIn] = Field(
        max_length=50, description="in order; none: customers under it are worked by hand"
    )
    minimum_amount: Amounts = Field({}, description="net, by currency: below it nothing is claimed")
    ignore_items_under: Amounts = Field({}, description="by currency: smaller items are left out")
    cap_days: int = Field(7, ge=0, le=365, description="at most one automatic message in so many days")
    cap_across_accounts: bool = Field(
        True, description="the cap counts messages to all accounts of a company"
    )
    net_credits: bool = Field(True, description="unused credits are deducted from what is claimed")
    sending: Sending = Sending()


class ScenarioCreate(What):
    """A scenario to add."""

    name: str = Field(min_length=1, max_length=100, examples=["Key accounts"])
    description: str = Field("", max_length=1000, description="what it is for")


class FromLibrary(Input):
    """A ready-made scenario to copy."""

    library: LibraryCode
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="its own when left out"
    )


class Duplicate(Input):
    """A copy."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(None, description="of the copy")


class ScenarioPatch(Input):
    """Members to change; what it says is changed by publishing a version."""

    name: str | None = Field(None, min_length=1, max_length=100, examples=["Key accounts"])
    description: str | None = Field(None, max_length=1000, description="what it is for")


class WhatOut(BaseModel):
    """What a version says."""

    version_id: UUID
    version: int
    steps: list[StepOut]
    minimum_amount: AmountTexts
    ignore_items_under: AmountTexts
    cap_days: int = Field(description="at most one automatic message in so many days")
    cap_across_accounts: bool
    net_credits: bool
    sending: Sending
    published_at: datetime
    published_by: UUID | None


class Scenario(Stamped, WhatOut):
    """A scenario with its newest version."""

    name: str = Field(examples=["Key accounts"])
    description: str = Field(description="what it is for")
    is_default: bool = Field(description="followed by customers without another one")
    archived: bool


class LibraryEntry(BaseModel):
    """A ready-made scenario."""

    code: LibraryCode
    name: str = Field(examples=["Soft"])
    description: str = Field(description="what it is for")
    steps: int


class AssignmentPut(Input):
    """Which scenario a customer follows."""

    scenario_id: UUID | None = Field(description="null: the default again")
    reason: str | None = Field(None, max_length=500, description="why")


class Assignment(BaseModel):
    """Which scenario a customer follows, by whose decision."""

    customer_id: UUID
    kind: Literal["scenario"]
    scenario_id: UUID
    scenario_name: str = Field(examples=["Key accounts"])
    why: Literal["assigned", "tenant_default"]
    manual: bool
    reason: str | None = Field(description="why, as its author said")
    assigned_by: str | None = Field(description="user or key", examples=["user:0199…"])
    assigned_at: datetime | None
