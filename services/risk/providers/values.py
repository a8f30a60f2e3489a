"""Building canonical values: every mapper says what it found in the same words."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from libs.contracts.currencies import exponent
from services.risk.domain.legal.notices import LegalNotice, LegalStatus
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.facts import CanonicalValue, HistoricValue, Scale, Snapshot
from services.risk.providers.fields import FIELDS, paydex_days

NO_DATA = CanonicalValue(state="no_data")
NOT_SUPPLIED = CanonicalValue(state="not_supplied")
ERROR = CanonicalValue(state="error")

HUNDRED = Scale(Decimal(0), Decimal(100))
TWENTY = Scale(Decimal(0), Decimal(20))
TEN = Scale(Decimal(0), Decimal(10))
_LETTERS = re.compile(r"[A-Z]{3}\Z")
_NAF = re.compile(r"(\d{2})\.?(\d{2})([A-Z])\Z")
#: The French nomenclature of activities changes on that day (decree 2025-736).
_NAF_2025_FROM = date(2027, 1, 1)


def known(value: Any, *, raw: Any = None, as_of: date | None = None, **detail: Any) -> CanonicalValue:
    """A value as JSON can hold it; None or "" is no data."""
    if value is None or value == "":
        return NO_DATA
    return CanonicalValue(
        state="known",
        value=plain(value)
        if isinstance(value, Decimal)
        else value.isoformat()
        if isinstance(value, date)
        else value,
        raw=str(value if raw is None else raw),
        as_of=as_of,
        detail={name: what for name, what in detail.items() if what is not None},
    )


def score(raw: Decimal | None, scale: Scale, *, as_of: date | None = None, **detail: Any) -> CanonicalValue:
    """A score on its scale; outside of it, it is kept as sent and not normalised."""
    if raw is None:
        return NO_DATA
    return CanonicalValue(
        state="known",
        value=plain(raw),
        raw=str(raw),
        scale=scale,
        normalised=scale.normalise(raw),
        as_of=as_of,
        detail={name: what for name, what in detail.items() if what is not None},
    )


def money(
    amount: Decimal | None, currency: str | None, *, raw: Any = None, as_of: date | None = None, **detail: Any
) -> CanonicalValue:
    """An amount in major units; providers send more decimals than a currency has, so it is rounded to them.

    Without a currency that ISO 4217 knows there is no amount: no data, with the number kept as raw.
    """
    if amount is None:
        return NO_DATA
    sent = str(amount if raw is None else raw)
    code = (currency or "").strip().upper()
    try:
        digits = exponent(code) if _LETTERS.match(code) else None
    except KeyError:
        digits = None
    if digits is None:
        return CanonicalValue(state="no_data", raw=sent, detail={"reason": "currency_unknown"})
    return CanonicalValue(
        state="known",
        value=str(amount.quantize(Decimal(1).scaleb(-digits))),
        raw=sent,
        currency=code,
        as_of=as_of,
        detail={name: what for name, what in detail.items() if what is not None},
    )


def paydex(value: int | None, *, as_of: date | None = None) -> dict[str, CanonicalValue]:
    """The Paydex and the days it stands for."""
    if value is None or not 0 <= value <= 100:
        raw = None if value is None else str(value)
        return {"paydex": CanonicalValue(state="no_data", raw=raw), "payment_delay_days": NO_DATA}
    days = paydex_days(value)
    return {
        "paydex": known(value, as_of=as_of, days_beyond_terms=days, at_least=value < 20 or None),
        "payment_delay_days": known(days, raw=value, as_of=as_of, at_least=value < 20 or None),
    }


def activity(
    code: str | None, label: str | None = None, nomenclature: str | None = None, *, on: date | None = None
) -> CanonicalValue:
    """A sector code. A French one loses its dot; its nomenclature is NAFRev2 unless it is said otherwise, or the statement
    is of 2027 or later, where the two can only be told apart by asking."""
    if not code:
        return NO_DATA
    match = _NAF.match(code.strip().upper())
    if match is None:
        return known(code.strip(), raw=code, nomenclature=nomenclature, label=label)
    if nomenclature is None:
        nomenclature = "NAFRev2" if on is None or on < _NAF_2025_FROM else None
    return known("".join(match.groups()), raw=code, nomenclature=nomenclature, label=label)


def portal(url: str | None, hosts: Sequence[str]) -> CanonicalValue:
    """A link a person may click: https, and to one of the provider's own hosts; anything else is left out."""
    if not url:
        return NO_DATA
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").lower()
    allowed = any(host == name or host.endswith(f".{name}") for name in hosts)
    if parts.scheme != "https" or parts.username or not allowed:
        return CanonicalValue(state="no_data", detail={"reason": "host_not_allowed"})
    return known(url.strip())


def legal(
    status: LegalStatus, *, raw: Any = None, as_of: date | None = None, **detail: Any
) -> CanonicalValue:
    """A legal status; `unknown` is no data."""
    if status == LegalStatus.UNKNOWN:
        return CanonicalValue(state="no_data", raw=None if raw is None else str(raw))
    return known(status.value, raw=status.value if raw is None else raw, as_of=as_of, **detail)


def plain(value: Decimal) -> str:
    """A decimal without exponent and without needless zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def snapshot(
    provider: str,
    product: str,
    mapping_version: int,
    capabilities: Capabilities,
    values: Mapping[str, CanonicalValue],
    *,
    provider_reference: str | None = None,
    as_of: date | None = None,
    notices: tuple[LegalNotice, ...] | None = None,
    history: Sequence[HistoricValue] = (),
    failed: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> Snapshot:
    """A value for every canonical field: what a mapper found; `error` for a field of a part that failed; `no_data` for what
    the provider supplies but not this time; `not_supplied` for the rest. Raises KeyError for a field nobody knows."""
    unknown = set(values) - set(FIELDS)
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))

    def value(name: str) -> CanonicalValue:
        if name in values:
            return values[name]
        if name in failed:
            return ERROR
        return NO_DATA if capabilities.supplies(name) else NOT_SUPPLIED

    return Snapshot(
        provider=provider,
        product=product,
        mapping_version=mapping_version,
        provider_reference=provider_reference,
        as_of=as_of,
        values={name: value(name) for name in FIELDS},
        notices=notices,
        history=tuple(history),
        warnings=tuple(warnings),
    )
