"""What counts of all that is said about a company: chosen by the conflict policy, told to the others, joined for reading."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from services.risk.domain.values import NOT_SUPPLIED, Record, ScorePoint, Value, chosen, fall_of, trend_of
from services.risk.providers.fields import FIELDS
from services.risk.storage import company_risk, connections, snapshots
from services.risk.usecases.profiles import join_anew

INSURER_GRADE = "insurer_grade"
#: Every field of a company's risk, with the end of it that is good news.
BETTER: Mapping[str, str | None] = {
    **{name: field.better for name, field in FIELDS.items()},
    INSURER_GRADE: None,
}
#: What an event and a list say of a value.
_SHORT = ("state", "value", "currency", "normalised", "scale", "provider", "as_of")
_EVERY = 2_000


async def choose_all_anew(tx: Tx) -> None:
    """Choose for every company something is said of: the policy changed, or a priority."""
    await choose_anew(tx, await snapshots.companies_with_records(tx))


async def choose_anew(tx: Tx, companies: Iterable[UUID]) -> None:
    """Choose each field's value of these companies, tell what moved, and join their profiles. Set-based."""
    wanted = sorted(set(companies))
    rules = await connections.rules(tx)
    for start in range(0, len(wanted), _EVERY):
        part = wanted[start : start + _EVERY]
        rows = await _choices(tx, part, rules)
        written = await company_risk.write(tx, rows)
        by_id = {row["company_id"]: row for row in rows}
        _tell(tx, written, by_id)
        await join_anew(tx, [row["company_id"] for row in written])


async def records(tx: Tx, companies: Sequence[UUID]) -> dict[UUID, list[tuple[Record, Row | None]]]:
    """What each source says of each company, first by priority; insurers' grades come last, without a row."""
    found: dict[UUID, list[tuple[Record, Row | None]]] = defaultdict(list)
    for row in await snapshots.records_of(tx, companies):
        record = Record(
            row["connection_id"], row["provider"], row["product"], row["priority"], msgspec.json.decode(row["values"]),
            row["as_of"], row["checked_at"], timedelta(days=row["stale_after_days"]),
        )  # fmt: skip
        found[row["company_id"]].append((record, row))
    for place, row in enumerate(await company_risk.grades_of(tx, companies)):
        values = {INSURER_GRADE: grade_value(row)}
        found[row["company_id"]].append(
            (
                Record(
                    None, "insurer", row["insurer"], 1000 + place, values, row["graded_on"], row["told_at"],
                    timedelta(days=36500),
                ),
                None,
            )
        )  # fmt: skip
    return found


def grade_value(row: Mapping[str, Any]) -> dict[str, Any]:
    """An insurer's grade as a canonical value."""
    scale = row["scale"]
    return {
        **NOT_SUPPLIED,
        "state": "no_data" if row["grade"] is None else "known",
        "value": row["grade"],
        "raw": row["grade"],
        "scale": msgspec.json.decode(scale) if isinstance(scale, str) else scale,
        "as_of": row["graded_on"].isoformat() if row["graded_on"] else None,
        "detail": {"insurer": row["insurer"]},
    }


async def _choices(tx: Tx, companies: Sequence[UUID], rules: Mapping[str, Any]) -> list[dict[str, Any]]:
    said = await records(tx, companies)
    rose = await snapshots.privileges_rose(tx, companies)
    points: dict[tuple[UUID, str], list[ScorePoint]] = defaultdict(list)
    for row in await snapshots.score_points(tx, companies):
        key = (row["company_id"], str(row["connection_id"]))
        points[key].append(ScorePoint(row["on_day"], Decimal(row["normalised"])))
    return [
        _choice(tx, company, said[company], rules, points, rose.get(company))
        for company in companies
        if said[company]
    ]


def _choice(
    tx: Tx,
    company_id: UUID,
    said: Sequence[tuple[Record, Row | None]],
    rules: Mapping[str, Any],
    points: Mapping[tuple[UUID, str], list[ScorePoint]],
    rose: Any,
) -> dict[str, Any]:
    values = counting([record for record, _ in said], rules)
    of_score = points.get((company_id, str(values["score"]["provider_connection_id"])), [])
    add_trend(values, of_score, tx)
    fall = fall_of(of_score, tx.today) if values["score"]["state"] == "known" else None
    owed = any(
        _positive(values[name]) for name in ("privileges_amount", "privileges_count", "privileges_present")
    )
    return {
        "company_id": company_id,
        "values": {
            name: {part: value[part] for part in (*_SHORT, "detail")} for name, value in values.items()
        },
        "by_provider": {record.provider: _brief(record) for record, _ in reversed(said)},
        **_legal(values["legal_status"], said),
        "privileges_rose_on": (rose or tx.today) if owed else None,
        "score_fall": None
        if fall is None
        else {"from": str(fall[0].value), "to": str(fall[1].value), "since": fall[0].on, "on": fall[1].on},
    }


def counting(said: Sequence[Record], rules: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The value that counts of every field, with its origin."""
    return chosen(said, {INSURER_GRADE: "latest", **rules}, BETTER)


def add_trend(values: dict[str, dict[str, Any]], points: Iterable[ScorePoint], tx: Tx) -> None:
    """Where a score is known and its provider sends no trend, compute one from the score's history."""
    if values["trend"]["state"] == "known":
        values["trend"]["detail"] = {**values["trend"]["detail"], "source": "provider"}
    elif values["score"]["state"] == "known":
        names = ("provider", "provider_connection_id", "as_of", "fetched_at", "stale_from")
        origin = {name: values["score"][name] for name in names}
        trend = trend_of(points, tx.today)
        values["trend"] = {
            **NOT_SUPPLIED,
            **origin,
            "state": "known",
            "value": trend,
            "detail": {"source": "computed"},
        }


def _positive(value: Value) -> bool:
    if value["state"] != "known" or value["value"] is None:
        return False
    return bool(value["value"]) if isinstance(value["value"], bool) else Decimal(str(value["value"])) > 0


def _legal(value: Mapping[str, Any], said: Sequence[tuple[Record, Row | None]]) -> dict[str, Any]:
    """The legal status and the notice that decided it. Without a known value there is none: unavailable is not clean."""
    status = value["value"] if value["state"] == "known" else None
    told: dict[str, Any] = dict(value["detail"] or {})
    for record, row in said:
        if (
            row is None
            or row["notices"] is None
            or str(record.connection_id) != value["provider_connection_id"]
        ):
            continue
        deciding = [notice for notice in msgspec.json.decode(row["notices"]) if notice["target"] == status]
        if deciding:
            told |= max(deciding, key=lambda notice: notice["published_on"])
    return {
        "legal_status": status,
        "legal_kind": told.get("nature") or told.get("kind"),
        "judged_on": told.get("judged_on"),
        "published_on": told.get("published_on"),
    }


def _brief(record: Record) -> dict[str, Any]:
    shown = ("score", "recommended_credit", "legal_status", "paydex", "trend", "risk_class", INSURER_GRADE)
    known = {
        name: {part: record.values[name][part] for part in ("value", "currency", "normalised", "scale")}
        for name in shown
        if name in record.values and record.values[name]["state"] == "known"
    }
    return {"product": record.product, "as_of": record.as_of, "fields": known}


def _tell(tx: Tx, written: Sequence[Row], choices: Mapping[UUID, Mapping[str, Any]]) -> None:
    moved = [row for row in written if row["moved"]]
    tx.emit(
        "provider_data.changed",
        [Subject(row["company_id"], row["version"], data_state(choices[row["company_id"]])) for row in moved],
    )
    legal = [row for row in written if row["legal_moved"]]
    tx.emit(
        "legal_status.changed",
        [
            Subject(row["company_id"], row["version"], legal_state(choices[row["company_id"]]))
            for row in legal
        ],
    )


def data_state(choice: Mapping[str, Any]) -> dict[str, Any]:
    """The state behind `provider_data.changed`."""
    values = choice["values"]
    fields = {name: {part: value[part] for part in _SHORT} for name, value in values.items()}
    first = values["score"]["provider"] or next(
        (v["provider"] for v in values.values() if v["provider"]), None
    )
    return {"provider": first, "fields": fields}


def legal_state(choice: Mapping[str, Any]) -> dict[str, Any]:
    """The state behind `legal_status.changed`; a status nobody could tell is `unknown`."""
    return {
        "status": choice["legal_status"] or "unknown",
        "kind": choice["legal_kind"],
        "judged_on": choice["judged_on"],
        "published_on": choice["published_on"],
        "provider": choice["values"]["legal_status"]["provider"],
    }
