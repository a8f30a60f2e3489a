"""The risk report's rows and totals as they are shown: amounts as decimal strings, or as cells of a file."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from fastapi import Response

from libs.contracts.exchange import Conversion, convert
from libs.contracts.money import from_minor
from libs.kit.db import Row
from libs.kit.exports import Column, Form, table
from libs.kit.responses import raw
from services.risk.domain.covering import LAYERS

_OWED = ("outstanding", "overdue", "credits", "order_book")
_MONEY = (
    "overrun", "other_guarantees", "privileges_amount", "turnover", "recommended_credit", "recommended_minus_outstanding",
    "recommended_minus_limit",
)  # fmt: skip
_PLAIN = (
    "limit_state", "limit_valid_until", "pending_request_id", "cover_expires_at", "trend", "paydex", "legal_status",
    "activity", "insurer_grade", "payer_class", "next_review_on", "open_alerts", "critical", "stale", "rate_date",
    "updated_at",
)  # fmt: skip


def shown_row(row: Row, position: int) -> dict[str, Any]:
    """A company of the report; its internal grade is null until scorecards are set up."""
    currency = row["currency"]
    permille, real = row["limit_used_permille"], row["real_risk"]
    return {
        "company": {
            "id": row["company_id"],
            **{name: row[name] for name in ("name", "registration_number", "country", "segment", "group_id")},
        },
        "currency": currency,
        **_owed(row, currency),
        "limit": _text(row["limit_amount"], currency),
        "limit_used_percent": None if permille is None else f"{permille // 10}.{permille % 10}",
        "guarantees": {layer: _text(row[f"cover_{layer}"], currency) for layer in LAYERS},
        "conditions": row["cover_conditions"],
        "real_risk": from_minor(real, currency),
        "potential_risk": from_minor(row["potential_risk"], currency),
        "uncovered": from_minor(max(0, real), currency),
        "spare_cover": from_minor(max(0, -real), currency),
        "provider_data": row["provider_state"],
        **_score(row),
        "by_provider": raw(row["by_provider"]) or {},
        **{name: _text(row[name], currency) for name in _MONEY},
        **{name: row[name] for name in _PLAIN},
        "grade": None,
        "next_clock": raw(row["next_clock"]),
        "as_of_position": position,
        "unconverted": unconverted(msgspec.json.decode(row["unconverted"])),
    }


def shown_totals(
    sums: Row, apart: Sequence[Row], currency: str, conversions: Mapping[str, Conversion]
) -> dict[str, Any]:
    """Totals: what is owed in several currencies is converted by currency, the rest is the sum of the rows."""
    owed = {name: sums[name] for name in _OWED}
    left: dict[str, int] = {}
    for row in apart:
        conversion = conversions.get(row["currency"])
        if conversion is None:
            left[row["currency"]] = row["outstanding"]
            continue
        for name in _OWED:
            owed[name] += convert(row[name], row["currency"], currency, conversion)
    summed = (
        "overrun", "other_guarantees", "recommended_credit", "real_risk", "potential_risk", "uncovered", "spare_cover",
    )  # fmt: skip
    return {
        "companies": sums["companies"],
        "currency": currency,
        **_owed(owed, currency),
        "limit": from_minor(sums["limits"], currency),
        "guarantees": {layer: from_minor(sums[f"cover_{layer}"], currency) for layer in LAYERS},
        **{name: from_minor(sums[name], currency) for name in summed},
        "unconverted": unconverted({code: amount for code, amount in left.items() if amount}),
    }


def unconverted(amounts: Mapping[str, int]) -> list[dict[str, str]]:
    """What has no rate, by currency."""
    return [
        {"currency": code, "amount": from_minor(amount, code)} for code, amount in sorted(amounts.items())
    ]


def _owed(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    not_due = row["outstanding"] - row["overdue"] - row["credits"]
    figures = {name: row[name] for name in _OWED}
    return {name: from_minor(amount, currency) for name, amount in {**figures, "not_due": not_due}.items()}


def _score(row: Row) -> dict[str, Any]:
    """The score as sent, on its scale, and what else is shown as its provider sent it."""
    values = msgspec.json.decode(row["provider_values"]) if row["provider_values"] else {}
    score = values.get("score", {})
    scale = score.get("scale")
    privileges, portal = values.get("privileges_count", {}), values.get("portal_url", {})
    value = score.get("value")
    return {
        "score": None if value is None else str(value),
        "score_scale": f"{scale['min']}-{scale['max']}" if scale else None,
        "score_normalised": None
        if row["score"] is None
        else f"{row['score'] // 100}.{row['score'] % 100:02d}",
        "privileges_count": privileges.get("value"),
        "portal_url": portal.get("value"),
    }


def _text(amount: int | None, currency: str) -> str | None:
    return None if amount is None else from_minor(amount, currency)


_AMOUNTS = (
    "outstanding", "not_due", "overdue", "credits", "order_book", "limit", "overrun", *LAYERS, "other_guarantees",
    "real_risk", "potential_risk", "uncovered", "spare_cover", "turnover", "recommended_credit",
    "recommended_minus_outstanding", "recommended_minus_limit", "privileges_amount",
)  # fmt: skip
_TEXTS = (
    "limit_state", "limit_used_percent", "score", "score_scale", "trend", "legal_status", "activity", "insurer_grade",
    "payer_class", "conditions",
)  # fmt: skip
_DATES = ("limit_valid_until", "cover_expires_at", "next_review_on")


def as_file(form: Form, rows: Iterable[Mapping[str, Any]]) -> Response:
    """Every row as CSV or XLSX."""
    columns = [
        Column("id", "Company id"), Column("name", "Company"), Column("registration_number", "Registration number"),
        Column("country", "Country"), Column("segment", "Segment"), Column("currency", "Currency"),
        *[Column(name, _heading(name), "amount") for name in _AMOUNTS],
        *[Column(name, _heading(name)) for name in _TEXTS],
        *[Column(name, _heading(name), "date") for name in _DATES],
        Column("paydex", "Paydex", "number"), Column("open_alerts", "Open alerts", "number"),
        Column("critical", "Critical"), Column("stale", "Stale"),
    ]  # fmt: skip
    return table(form, "risk", columns, [{**row, **row["company"], **row["guarantees"]} for row in rows])


def _heading(name: str) -> str:
    return name.replace("_", " ").capitalize()
