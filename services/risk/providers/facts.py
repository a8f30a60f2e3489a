"""What passes through the port: companies looked for and found, answers kept raw, values understood."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from services.risk.domain.legal.notices import LegalNotice

State = Literal["known", "no_data", "not_supplied", "error"]
EventKind = Literal[
    "score", "legal", "accounts", "identity", "address", "capital", "activity", "state", "limit", "other"
]


@dataclass(frozen=True, slots=True)
class CompanyRef:
    """A company as we know it. `provider_reference` is the provider's own key, once a match has been made."""

    registration_number: str
    country: str
    name: str | None = None
    vat_number: str | None = None
    provider_reference: str | None = None
    postal_code: str | None = None
    city: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A company found at the provider. `exact`: it bears the very number asked for. `score` 0–1 where the provider rates."""

    provider_reference: str
    name: str
    registration_number: str | None
    country: str | None = None
    address: str | None = None
    postal_code: str | None = None
    city: str | None = None
    active: bool | None = None
    exact: bool = False
    score: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A company in the provider's portfolio; one of the two keys is there at least."""

    provider_reference: str | None
    registration_number: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of adding or removing. `already`: it was so before (a success). `billed`: this call is charged."""

    provider_reference: str | None = None
    already: bool = False
    billed: bool = False


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """Something changed at the provider. Carries no value to be trusted: the company is read again.

    `id` is stable across reads of the same event; `ack` is what `acknowledge` needs, None where there is nothing to mark.
    """

    id: str
    kind: EventKind
    code: str | None
    registration_number: str | None
    provider_reference: str | None
    occurred_on: date | None
    old: str | None = None
    new: str | None = None
    ack: str | None = None


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events, oldest first. `cursor` asks for the next page, None at the end; `since` is what a later sync
    starts from (an opaque text to keep, None: from the start)."""

    events: tuple[ProviderEvent, ...]
    cursor: str | None
    since: str | None


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One answer as it came, with its secrets taken out: enough to map it again with a later mapping.

    `part` names the call within a fetch. `failure` is the kind of ProviderError where this part could not be had (the body
    is then empty). `billed`: the call was charged.
    """

    part: str
    request: str
    status: int
    media_type: str
    body: bytes
    fetched_at: datetime
    failure: str | None = None
    billed: bool = False

    @property
    def sha256(self) -> str:
        """Of the body, hex."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale a score was sent on; `better` is the end that is good news."""

    low: Decimal
    high: Decimal
    better: Literal["high", "low"] = "high"

    def normalise(self, raw: Decimal) -> Decimal | None:
        """0.00–100.00, 100 best; None outside the scale (then the scale is not what we think)."""
        if not self.low <= raw <= self.high or self.low == self.high:
            return None
        share = (raw - self.low) / (self.high - self.low) * 100
        return (share if self.better == "high" else 100 - share).quantize(Decimal("0.01"))

    def as_json(self) -> dict[str, str]:
        """Bounds as decimal strings."""
        return {"min": str(self.low), "max": str(self.high), "better": self.better}


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalValue:
    """One field's value, or why there is none: `no_data` (supplied in principle, not for this company), `not_supplied`
    (never by this provider or contract), `error` (could not be had this time). Only `known` has a value, which may be 0.

    `value` is ready for JSON: decimals and dates are strings, money is major units beside `currency`.
    """

    state: State
    value: Any = None
    raw: str | None = None
    scale: Scale | None = None
    normalised: Decimal | None = None
    currency: str | None = None
    as_of: date | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For storage and for the API."""
        return {
            "state": self.state,
            "value": self.value,
            "raw": self.raw,
            "scale": self.scale.as_json() if self.scale else None,
            "normalised": str(self.normalised) if self.normalised is not None else None,
            "currency": self.currency,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "detail": dict(self.detail),
        }

    def same_as(self, other: "CanonicalValue") -> bool:
        """Whether nothing changed but dates and spelling: then there is nothing to write into a history."""
        return _essence(self) == _essence(other)


def _essence(value: CanonicalValue) -> tuple[Any, ...]:
    scale = value.scale.as_json() if value.scale else None
    return value.state, json.dumps(value.value, sort_keys=True), value.currency, json.dumps(scale)


@dataclass(frozen=True, slots=True)
class HistoricValue:
    """A value the provider says a field had, since `as_of`."""

    field: str
    value: CanonicalValue
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one fetch says about one company: a value for every canonical field.

    `notices` is None where the provider publishes none or they could not be read this time; an empty tuple means that there
    are none. `as_of` is the provider's date of its main statement.
    """

    provider: str
    product: str
    mapping_version: int
    provider_reference: str | None
    as_of: date | None
    values: Mapping[str, CanonicalValue]
    notices: tuple[LegalNotice, ...] | None = None
    history: tuple[HistoricValue, ...] = ()
    warnings: tuple[str, ...] = ()
    """What the mapping met and did not understand, for whoever looks after the connection."""

    @property
    def content_hash(self) -> str:
        """The same as long as no value, no notice changes: then only the time of the check moves."""
        essence = {name: repr(_essence(value)) for name, value in sorted(self.values.items())}
        notices = None if self.notices is None else sorted(notice.source_id for notice in self.notices)
        return hashlib.sha256(json.dumps([essence, notices], sort_keys=True).encode()).hexdigest()

    def with_values(self, **values: CanonicalValue) -> "Snapshot":
        """The same with some values replaced."""
        return replace(self, values={**self.values, **values})
