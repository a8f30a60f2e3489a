"""What about a limit somebody should be told: exceeded, nearly used up, not validated, expired."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from services.credit.domain.limit_state import State

Kind = Literal["limit_usage", "limit_not_validated", "limit_expired"]
Criticality = Literal["information", "warning", "critical"]
CRITICALITY: Final[dict[Kind, Criticality]] = {
    "limit_usage": "information",
    "limit_not_validated": "critical",
    "limit_expired": "warning",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """How a limit stands on a day: `exposure` and `allowed` (None: nothing is in force) in minor units of one currency."""

    state: State
    exposure: int
    allowed: int | None


def conditions(usage: Usage, alert_percent: int | None) -> set[Kind]:
    """Which conditions hold. Usage is told from the percentage on up to the limit; beyond it the limit is exceeded."""
    found: set[Kind] = set()
    if usage.state == "not_validated":
        found.add("limit_not_validated")
    if usage.state == "expired":
        found.add("limit_expired")
    within = usage.allowed is not None and 0 < usage.exposure <= usage.allowed
    if alert_percent is not None and within and _percent(usage) >= alert_percent:
        found.add("limit_usage")
    return found


def _percent(usage: Usage) -> Decimal:
    assert usage.allowed, "something is in force"
    return Decimal(usage.exposure) * 100 / usage.allowed
