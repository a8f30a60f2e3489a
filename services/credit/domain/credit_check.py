"""May this order go on? Every rule is applied and shown, so that nobody has to guess which one held it.

headroom = limit − outstanding − order book − live reservations, in the limit's currency. A hold outranks the limit and
refuses; whatever else fails holds the order for a person. A limit of zero holds all: it is a limit, not "none".
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from services.credit.domain.limit_state import State

Decision = Literal["allow", "hold", "refuse"]
Code = Literal[
    "blocked", "limit_missing", "limit_not_validated", "limit_expired", "limit_zero", "rate_missing", "limit_exceeded",
    "legal_proceedings", "cover_stopped",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """A company on the day of a check. Amounts in minor units of one currency; `amount` is None where no rate converts it.

    `allowed`: what may be owed, None where no limit is in force. `order_book` and `reserved` leave out the very order that is
    checked. `missing_rates`: currencies of what is owed, ordered or reserved that nothing converts.
    """

    state: State
    allowed: int | None
    amount: int | None
    outstanding: int
    order_book: int
    reserved: int
    missing_rates: Collection[str] = ()
    hold_reason: str | None = None
    proceedings: str | None = None
    cover_stopped: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def headroom(self) -> int | None:
        """What is left of the limit before this order, None without one; negative when it is exceeded already."""
        return (
            None
            if self.allowed is None
            else self.allowed - self.outstanding - self.order_book - self.reserved
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule applied: `threshold` and `value` are minor units where `is_money`, else words. `waived`: failed, but let pass."""

    code: Code
    passed: bool
    effect: Literal["hold", "refuse"]
    threshold: int | str | None = None
    value: int | str | None = None
    is_money: bool = False
    waived: bool = False


def apply_rules(standing: Standing, waived: Collection[str] = ()) -> list[Rule]:
    """Every rule, in order of weight; a rule in `waived` that fails lets pass, save the one that refuses."""
    headroom = standing.headroom
    fits = headroom is None or standing.amount is None or standing.amount <= headroom
    no_limit = standing.allowed is None and standing.state in ("none", "pending")
    rules = [
        Rule("blocked", standing.state != "blocked", "refuse", "not on hold", standing.hold_reason),
        Rule("legal_proceedings", standing.proceedings is None, "hold", "none", standing.proceedings),
        Rule("cover_stopped", standing.cover_stopped is None, "hold", "not stopped", standing.cover_stopped),
        Rule("limit_missing", not no_limit, "hold", "a limit", standing.state),
        Rule("limit_not_validated", standing.state != "not_validated", "hold", "approved", standing.state),
        Rule("limit_expired", standing.state != "expired", "hold", "approved", standing.state),
        Rule("limit_zero", standing.allowed != 0 or standing.state == "blocked", "hold", 0, standing.allowed, True),
        Rule("rate_missing", not standing.missing_rates, "hold", "a rate each", _named(standing.missing_rates)),
        Rule("limit_exceeded", fits, "hold", headroom, standing.amount, True),
    ]  # fmt: skip
    return [
        Rule(
            one.code, one.passed, one.effect, one.threshold, one.value, one.is_money,
            waived=not one.passed and one.effect == "hold" and one.code in waived,
        )
        for one in rules
    ]  # fmt: skip


def decide(rules: Sequence[Rule]) -> Decision:
    """The decision that the rules come to."""
    failed = {rule.effect for rule in rules if not rule.passed and not rule.waived}
    if "refuse" in failed:
        return "refuse"
    return "hold" if failed else "allow"


def _named(currencies: Collection[str]) -> str | None:
    return ", ".join(sorted(currencies)) or None
