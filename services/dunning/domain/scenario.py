"""Scenarios: the ordered steps a customer is taken through, and what makes such a list acceptable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from services.dunning.domain.sending_window import SendingRules

__all__ = [
    "Channel",
    "Finding",
    "Mode",
    "ScenarioVersion",
    "Step",
    "default_steps",
    "findings",
    "nominal_days",
]

#: A step may stand up to a year before the due date and three years after it.
EARLIEST_DAYS, LATEST_DAYS = -365, 1095


class Channel(StrEnum):
    EMAIL = "email"
    LETTER = "letter"
    SMS = "sms"
    CALL = "call"
    TASK = "task"

    @property
    def is_message(self) -> bool:
        """Whether something leaves for the customer by itself; a call or a task is a person's work."""
        return self in {Channel.EMAIL, Channel.LETTER, Channel.SMS}


class Mode(StrEnum):
    AUTOMATIC = "automatic"
    TO_CONFIRM = "to_confirm"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `offset_days` from the leader's due date (negative: before it), or `after_days` since the
    step before was done. Exactly one of the two. `assignee_user_id`: who does it; None is the customer's collector."""

    channel: Channel
    mode: Mode
    template_id: UUID | None = None
    offset_days: int | None = None
    after_days: int | None = None
    assignee_user_id: UUID | None = None

    @property
    def sends_by_itself(self) -> bool:
        return self.mode is Mode.AUTOMATIC and self.channel.is_message


@dataclass(frozen=True, slots=True)
class ScenarioVersion:
    """What a scenario said when this version was published; versions never change.

    `minimums` are net amounts by currency, in minor units, below which nothing is claimed; `ignore_under`
    the same for single items; a currency that is not named has no minimum. `cap_days`: at most one automatic
    message in so many days, to any account of the company or (`cap_across_accounts` off) to each account. `net_credits`:
    whether unused credits are deducted from what is claimed. `sending`: when its messages may leave.
    """

    id: UUID
    scenario_id: UUID
    steps: tuple[Step, ...]
    minimums: Mapping[str, int] = field(default_factory=dict)
    ignore_under: Mapping[str, int] = field(default_factory=dict)
    cap_days: int = 7
    cap_across_accounts: bool = True
    net_credits: bool = True
    sending: SendingRules = field(default_factory=SendingRules)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a scenario: a stable code, a JSON pointer into its steps and what was expected."""

    code: str
    pointer: str
    detail: str


def nominal_days(steps: Sequence[Step]) -> tuple[int, ...]:
    """Where each step stands on the time line of a leader item, in days after its due date, when nothing is
    late."""
    placed: list[int] = []
    for step in steps:
        placed.append(
            step.offset_days if step.offset_days is not None else placed[-1] + (step.after_days or 0)
        )
    return tuple(placed)


def default_steps(first_reminder: UUID, second_reminder: UUID) -> tuple[Step, ...]:
    """What a new tenant starts with: two e-mails that send themselves, 5 and 15 days late, then a call at
    30."""
    return (
        Step(Channel.EMAIL, Mode.AUTOMATIC, first_reminder, offset_days=5),
        Step(Channel.EMAIL, Mode.AUTOMATIC, second_reminder, offset_days=15),
        Step(Channel.CALL, Mode.MANUAL, offset_days=30),
    )


def findings(steps: Sequence[Step]) -> list[Finding]:
    """Everything wrong with a list of steps, in their order. An empty list of steps is fine: customers under
    such a scenario are worked by hand."""
    found = [finding for position, step in enumerate(steps) for finding in _step_findings(position, step)]
    if not found:
        found = _order_findings(nominal_days(steps))
    return found


def _step_findings(position: int, step: Step) -> list[Finding]:
    at = f"/steps/{position}"
    found = []
    if (step.offset_days is None) == (step.after_days is None):
        found.append(Finding("step_time_ambiguous", at, "give either offset_days or after_days"))
    elif step.after_days is not None:
        if position == 0:
            found.append(
                Finding("first_step_relative", f"{at}/after_days", "no step comes before the first one")
            )
        if not 0 <= step.after_days <= LATEST_DAYS:
            found.append(Finding("out_of_range", f"{at}/after_days", f"expected 0 to {LATEST_DAYS} days"))
    elif step.offset_days is not None and not EARLIEST_DAYS <= step.offset_days <= LATEST_DAYS:
        detail = f"expected {EARLIEST_DAYS} to {LATEST_DAYS} days"
        found.append(Finding("out_of_range", f"{at}/offset_days", detail))
    if step.mode is Mode.AUTOMATIC and not step.channel.is_message:
        found.append(Finding("mode_impossible", f"{at}/mode", f"a {step.channel} is done by a person"))
    if step.channel.is_message and step.template_id is None:
        found.append(Finding("template_missing", f"{at}/template_id", f"a {step.channel} needs a template"))
    return found


def _order_findings(placed: Sequence[int]) -> list[Finding]:
    return [
        Finding(
            "steps_not_in_order", f"/steps/{position}", "a step may not come before the one that precedes it"
        )
        for position, (before, after) in enumerate(pairwise(placed), start=1)
        if after < before
    ]
