"""One company's risk put together: what counts, who says what, which notices were published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from libs.kit.db import Row, Tx
from services.risk.domain.values import Record, ScorePoint
from services.risk.storage import connections, snapshots
from services.risk.usecases.canonical import add_trend, counting, records


@dataclass(frozen=True, slots=True)
class Told:
    """What one source says; without a row it is an insurer."""

    record: Record
    row: Row | None


@dataclass(frozen=True, slots=True)
class Risk:
    """Everything about one company: the value that counts of every field, the sources, the notices newest first."""

    values: Mapping[str, dict[str, Any]]
    records: Sequence[Told]
    legal_events: Sequence[dict[str, Any]]


async def told_of(tx: Tx, company_id: UUID) -> Risk:
    """Read it as it stands now: ages move without anything being written."""
    said = (await records(tx, [company_id])).get(company_id, [])
    values = counting([record for record, _ in said], await connections.rules(tx))
    source = str(values["score"]["provider_connection_id"])
    points = [
        ScorePoint(row["on_day"], Decimal(row["normalised"]))
        for row in await snapshots.score_points(tx, [company_id])
        if str(row["connection_id"]) == source
    ]
    add_trend(values, points, tx)
    await _add_former(tx, company_id, values)
    told = [Told(record, row) for record, row in said]
    return Risk(values, told, legal_events(told))


async def _add_former(tx: Tx, company_id: UUID, values: dict[str, dict[str, Any]]) -> None:
    """What each value was before its last change, and when that was seen."""
    for value in values.values():
        value |= {"previous": None, "changed_at": None}
    for row in await snapshots.last_changes(tx, company_id):
        value = values.get(row["field"], {})
        if value and value["provider_connection_id"] == (
            str(row["connection_id"]) if row["connection_id"] else None
        ):
            former = None if row["old"] is None else msgspec.json.decode(row["old"])
            value |= {"previous": former and former["value"], "changed_at": row["fetched_at"]}


async def can_add(tx: Tx, company_id: UUID) -> bool:
    """Whether there is a connection through which the company could be watched and is not."""
    return await connections.free_for(tx, company_id)


def legal_events(told: Sequence[Told]) -> list[dict[str, Any]]:
    """Notices of all sources, newest first; the same notice from two connections once. Taken back ones say so."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in told:
        if one.row is None or one.row["notices"] is None:
            continue
        for notice in msgspec.json.decode(one.row["notices"]):
            found.setdefault(
                (notice["source"], notice["source_id"]), {"provider": one.record.provider, **notice}
            )
    annulled = {
        (n["source"], n["replaces"]) for n in found.values() if n["type"] != "initial" and n["replaces"]
    }
    shown = [{**notice, "cancelled": key in annulled} for key, notice in found.items()]
    return sorted(shown, key=lambda notice: (notice["published_on"], notice["source_id"]), reverse=True)
