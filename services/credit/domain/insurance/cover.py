"""What the layers of a company's cover are worth together on a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from libs.contracts.money import to_minor
from services.credit.domain.insurance.policy_terms import Terms
from services.credit.domain.insurance.timeline import Timeline
from services.credit.domain.insurance.vocabulary import LAYERS, Layer


@dataclass(frozen=True, slots=True)
class Layered:
    """One layer of cover under one policy. `evidence_on`: date of what justifies a discretionary limit, None without any."""

    cover_id: UUID
    layer: Layer
    line: Timeline
    evidence_on: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A layer on a day: what it is worth on paper, what of it counts, and why not all. Minor units of `currency`."""

    cover_id: UUID
    layer: Layer
    amount: int
    counted: int
    currency: str
    percent: Decimal
    reason: str | None


@dataclass(frozen=True, slots=True)
class Buyer:
    """What the policy asks about a buyer. `adverse_on`: the day bad news were known, which ends a cover of one's own."""

    country: str | None = None
    kind: str = "private"
    adverse_on: date | None = None


def lines_on(layers: Sequence[Layered], terms: Terms, buyer: Buyer, currency: str, day: date) -> list[Line]:
    """guarantee(D) by layer (DOMAIN §3.6): permanent, temporary and top-ups; if none of them, a justified discretionary
    limit, else a non-named cover the buyer is eligible for. Layers that count nothing are there with their reason."""
    by_layer = {one.layer: one for one in layers}
    worth = {layer: _amount(one, day) for layer, one in by_layer.items()}
    named_decided = _decided(by_layer.get("permanent"), day)
    own_decided = _decided(by_layer.get("dcl"), day)
    excluded = _excluded(terms, buyer)
    named = sum(_named(layer, worth, terms)[0] for layer in ("permanent", "temporary", "topup", "topup_plus"))
    found = []
    for layer in LAYERS:
        one = by_layer.get(layer)
        if one is None:
            continue
        amount = worth[layer]
        if layer == "dcl":
            counted, reason = _discretionary(amount, one, terms, buyer, currency, day)
            reason = "insurer_decided" if named_decided else ("named_cover" if named else reason)
        elif layer == "non_named":
            counted, reason = _capped(amount, terms.non_named_ceiling, currency)
            if named_decided or named:
                reason = "insurer_decided"
            elif own_decided:  # a discretionary limit that ended does not fall back to this
                reason = "discretionary_limit_set"
            elif buyer.adverse_on is not None and buyer.adverse_on <= day:
                reason = "adverse_information"
        else:
            counted, reason = _named(layer, worth, terms)
        reason = excluded or reason
        if reason not in (None, "above_ceiling"):
            counted = 0
        if amount:
            percent = _percent(one, terms, day)
            found.append(Line(one.cover_id, layer, amount, counted, currency, percent, reason))
    return found


def _named(layer: Layer, worth: Mapping[Layer, int], terms: Terms) -> tuple[int, str | None]:
    amount = worth.get(layer, 0)
    if layer == "permanent" and terms.temporary == "replaces" and worth.get("temporary"):
        return 0, "replaced_by_temporary"
    if layer == "topup" and not worth.get("permanent"):
        return 0, "primary_missing"  # a CAP stands on the primary cover; a CAP+ in its place
    return amount, None


def _discretionary(
    amount: int, one: Layered, terms: Terms, buyer: Buyer, currency: str, day: date
) -> tuple[int, str | None]:
    if one.evidence_on is None:
        return 0, "evidence_missing"
    if one.evidence_on > day:
        return 0, "evidence_later_than_delivery"
    if one.evidence_on < day - timedelta(days=terms.discretionary_evidence_days):
        return 0, "evidence_too_old"
    if buyer.adverse_on is not None and buyer.adverse_on <= day:
        return 0, "adverse_information"
    return _capped(amount, terms.discretionary_limit, currency)


def _capped(amount: int, ceiling: Decimal | None, currency: str) -> tuple[int, str | None]:
    if ceiling is None:
        return 0, "not_in_policy"
    most = to_minor(ceiling, currency)
    return (most, "above_ceiling") if amount > most else (amount, None)


def _excluded(terms: Terms, buyer: Buyer) -> str | None:
    if terms.countries is not None and buyer.country not in terms.countries:
        return "country_not_covered"
    if buyer.kind in terms.exclusions:
        return f"{buyer.kind}_buyer"
    return None


def _amount(one: Layered, day: date) -> int:
    worth = one.line.on(day)
    return worth.amount if worth is not None else 0


def _percent(one: Layered, terms: Terms, day: date) -> Decimal:
    worth = one.line.on(day)
    if worth is not None and worth.percent is not None:
        return worth.percent
    return terms.percent_of(one.layer)


def _decided(one: Layered | None, day: date) -> bool:
    """Whether anything was ever decided on a layer, with effect by that day."""
    return one is not None and any(period.starts_on <= day for period in one.line.periods)
