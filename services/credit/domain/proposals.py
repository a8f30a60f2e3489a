"""What limit would be sensible: named methods, each with its inputs and what is missing, and their combination.

need = yearly sales × (term + accepted lateness + order lead) / 365 (DOMAIN §3.5). afdcc = (orders not invoiced + deliveries not
invoiced + unpaid invoices) × terms coefficient × behaviour coefficient. capacity = a share of the buyer's turnover, equity or
purchases by its score, the lowest of those known. provider = the recommended credit. history = the most that was owed with
nothing overdue, × a factor by payer class. Amounts are minor units of one currency, tax included.

The proposal is the smaller of what is acceptable and what is needed: never above the policy's maximum, and nothing for a
company in collective proceedings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, Literal

Method = Literal["need", "afdcc", "capacity", "provider", "history"]
Combine = Literal["min", "average", "max"]
METHODS: Final[tuple[Method, ...]] = ("need", "afdcc", "capacity", "provider", "history")
_YEAR = 365


@dataclass(frozen=True, slots=True)
class Share:
    """From a score of `min_score` (0–100, 100 best) on, the shares of the buyer's figures that may be owed."""

    min_score: int
    turnover: Decimal
    equity: Decimal
    purchases: Decimal


@dataclass(frozen=True, slots=True)
class Rules:
    """The coefficients of a tenant. `maximum` in minor units of the currency worked in, None without end."""

    need_methods: Sequence[Method]
    acceptable_methods: Sequence[Method]
    combine: Combine
    terms_coefficient: Decimal
    behaviour: Mapping[str, Decimal]
    history_factor: Mapping[str, Decimal]
    shares: Sequence[Share]
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a buyer; None is not known. `score` 0–100."""

    yearly_sales: int | None = None
    term_days: Decimal | None = None
    late_days: Decimal | None = None
    lead_days: Decimal | None = None
    order_book: int | None = None
    uninvoiced_deliveries: int | None = None
    unpaid_invoices: int | None = None
    payer_class: str | None = None
    score: Decimal | None = None
    turnover: int | None = None
    equity: int | None = None
    purchases: int | None = None
    recommended_credit: int | None = None
    clean_peak: int | None = None
    proceedings: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A method's value (None when it cannot be computed), the facts it took and those it lacked."""

    method: Method
    value: int | None
    inputs: dict[str, Any]
    missing: list[str]


@dataclass(frozen=True, slots=True)
class Combined:
    """`value` None where nothing could be computed; `reason` says what decided it."""

    value: int | None
    need: int | None
    acceptable: int | None
    reason: Literal["need", "acceptable", "maximum", "collective_proceedings", "nothing_known"]
    advice: Literal["reduce_term_or_get_guarantee"] | None


def propose(facts: Facts, rules: Rules) -> list[Proposal]:
    """Every method."""
    return [_COMPUTED[method](facts, rules) for method in METHODS]


def combine(proposals: Sequence[Proposal], facts: Facts, rules: Rules) -> Combined:
    """The proposal that a tenant's policy makes of the methods."""
    values = {one.method: one.value for one in proposals if one.value is not None}
    need = _combined([values[m] for m in rules.need_methods if m in values], "max")
    acceptable = _combined([values[m] for m in rules.acceptable_methods if m in values], rules.combine)
    if facts.proceedings is not None:
        return Combined(0, need, acceptable, "collective_proceedings", None)
    known = [value for value in (acceptable, need) if value is not None]
    if not known:
        return Combined(None, None, None, "nothing_known", None)
    short = need is not None and acceptable is not None and acceptable < need
    advice: Literal["reduce_term_or_get_guarantee"] | None = "reduce_term_or_get_guarantee" if short else None
    value = min(known)
    if rules.maximum is not None and value > rules.maximum:
        return Combined(rules.maximum, need, acceptable, "maximum", advice)
    return Combined(value, need, acceptable, "acceptable" if value == acceptable else "need", advice)


def _need(facts: Facts, rules: Rules) -> Proposal:
    taken, missing = _taken(facts, "yearly_sales", "term_days", optional=("late_days", "lead_days"))
    if facts.yearly_sales is None or facts.term_days is None:
        return Proposal("need", None, taken, missing)
    days = facts.term_days + (facts.late_days or 0) + (facts.lead_days or 0)
    return Proposal("need", _rounded(facts.yearly_sales * days / _YEAR), taken, missing)


def _afdcc(facts: Facts, rules: Rules) -> Proposal:
    parts = ("order_book", "uninvoiced_deliveries", "unpaid_invoices")
    taken, missing = _taken(facts, *parts, "payer_class")
    known = [getattr(facts, name) for name in parts if getattr(facts, name) is not None]
    behaviour = rules.behaviour.get(facts.payer_class or "")
    taken |= {"terms_coefficient": rules.terms_coefficient, "behaviour_coefficient": behaviour}
    if facts.unpaid_invoices is None and facts.order_book is None:
        return Proposal("afdcc", None, taken, missing)
    coefficient = rules.terms_coefficient * (Decimal(1) if behaviour is None else behaviour)
    return Proposal("afdcc", _rounded(max(0, sum(known)) * coefficient), taken, missing)


def _capacity(facts: Facts, rules: Rules) -> Proposal:
    bases = ("turnover", "equity", "purchases")
    taken, missing = _taken(facts, "score", *bases)
    share = None
    if facts.score is not None:
        fitting = [one for one in rules.shares if one.min_score <= facts.score]
        share = max(fitting, key=lambda one: one.min_score, default=None)
    values = []
    for name in bases:
        base = getattr(facts, name)
        if share is not None and base is not None:
            taken[f"{name}_share"] = getattr(share, name)
            values.append(_rounded(max(0, base) * getattr(share, name)))
    if facts.score is not None and share is None:
        values = [0] if any(getattr(facts, name) is not None for name in bases) else []
    return Proposal("capacity", min(values, default=None), taken, missing)


def _provider(facts: Facts, rules: Rules) -> Proposal:
    taken, missing = _taken(facts, "recommended_credit")
    return Proposal("provider", facts.recommended_credit, taken, missing)


def _history(facts: Facts, rules: Rules) -> Proposal:
    taken, missing = _taken(facts, "clean_peak", "payer_class")
    factor = rules.history_factor.get(facts.payer_class or "")
    if facts.clean_peak is None or factor is None:
        return Proposal("history", None, taken, missing)
    taken["factor"] = factor
    return Proposal("history", _rounded(facts.clean_peak * factor), taken, missing)


_COMPUTED: Final[Mapping[Method, Callable[[Facts, Rules], Proposal]]] = {
    "need": _need, "afdcc": _afdcc, "capacity": _capacity, "provider": _provider, "history": _history,
}  # fmt: skip


def _taken(facts: Facts, *needed: str, optional: tuple[str, ...] = ()) -> tuple[dict[str, Any], list[str]]:
    taken = {name: getattr(facts, name) for name in (*needed, *optional) if getattr(facts, name) is not None}
    return taken, [name for name in needed if name not in taken]


def _combined(values: Sequence[int], how: Combine) -> int | None:
    if not values:
        return None
    if how == "average":
        return _rounded(Decimal(sum(values)) / len(values))
    return min(values) if how == "min" else max(values)


def _rounded(value: Decimal | int) -> int:
    return int(Decimal(value).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
