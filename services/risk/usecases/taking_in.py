"""Answers of a provider become snapshots, a present record, a history, and news for everybody else. One transaction a batch."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.clock import local_date
from libs.kit.db import Row, Tx
from services.risk.domain.values import changed, essence, merged
from services.risk.providers.errors import CompanyNotFound, ProviderError, Uncertain
from services.risk.providers.port import LegalNotice, RawAnswer, Snapshot
from services.risk.storage import snapshots, syncs
from services.risk.usecases.canonical import choose_anew
from services.risk.usecases.connecting import told

Origin = Literal["fetched", "remapped"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking for one company: answers understood, or why not. `raw_id`: answers that are stored already."""

    company_id: UUID
    answers: Sequence[RawAnswer] = ()
    snapshot: Snapshot | None = None
    error: ProviderError | None = None
    raw_id: UUID | None = None

    @property
    def billed(self) -> bool:
        """Whether any call of it was charged."""
        return any(answer.billed for answer in self.answers)


async def take_in(
    tx: Tx, connection: Row, run: Row, results: Sequence[Taken], origin: Origin = "fetched"
) -> None:
    """Store what came, write the history, tell what moved, and note each company's outcome in the run."""
    usable = [(result, result.snapshot) for result in results if result.snapshot is not None]
    former = await snapshots.locked(tx, connection["id"], [result.company_id for result, _ in usable])
    raw = await _keep_raw(tx, connection["id"], [result for result, _ in usable], former)
    written, checked, history = [], [], []
    for result, snapshot in usable:
        before = former.get(result.company_id)
        line = _line(tx, result, snapshot, before, raw.get(result.company_id), origin)
        if before is not None and before["fingerprint"] == line["fingerprint"]:
            checked.append(line)
            continue
        written.append(line)
        old = msgspec.json.decode(before["values"]) if before else {}
        history += _history(tx, connection, line, old, snapshot)
    replaced = [
        row["raw_id"]
        for company, row in former.items()
        if row["raw_id"] is not None and raw.get(company) not in (None, row["raw_id"])
    ]
    await snapshots.write(tx, connection["id"], written, checked, replaced)
    await snapshots.write_changes(tx, history)
    moved = {line["company_id"] for line in written}
    await syncs.done(tx, run, [_outcome(result, moved) for result in results])
    await choose_anew(tx, moved)


def _line(
    tx: Tx, result: Taken, snapshot: Snapshot, before: Row | None, raw_id: UUID | None, origin: Origin
) -> dict[str, Any]:
    values = {name: value.as_json() for name, value in snapshot.values.items()}
    fetched_at = tx.now if origin == "fetched" else before["fetched_at"] if before else tx.now
    former = msgspec.json.decode(before["values"]) if before else {}
    notices = None if snapshot.notices is None else [notice_json(notice) for notice in snapshot.notices]
    if notices is None and before is not None and before["notices"] is not None:
        notices = msgspec.json.decode(
            before["notices"]
        )  # they could not be read this time: the known ones stand
    return {
        "id": new_id(),
        "company_id": result.company_id,
        "provider": snapshot.provider,
        "product": snapshot.product,
        "origin": origin,
        "mapping_version": snapshot.mapping_version,
        "as_of": snapshot.as_of,
        "fetched_at": fetched_at,
        "checked_at": fetched_at,
        "values": values,
        "merged": merged(values, former, before["checked_at"]) if before else values,
        "notices": notices,
        "fingerprint": snapshot.content_hash,
        "raw_id": raw_id,
    }


def _history(
    tx: Tx, connection: Row, line: Mapping[str, Any], old: Mapping[str, Any], snapshot: Snapshot
) -> list[dict[str, Any]]:
    """A row a field that says something else, and what the provider tells of earlier times."""
    common = {
        "connection_id": connection["id"], "company_id": line["company_id"], "provider": connection["provider"],
        "product": connection["product"], "fetched_at": line["fetched_at"], "snapshot_id": line["id"],
    }  # fmt: skip
    rows = []
    for field, (before, now) in changed(old, line["merged"]).items():
        as_of = now["as_of"] or (snapshot.as_of.isoformat() if snapshot.as_of else None)
        rows.append(
            {
                **common, "id": new_id(), "field": field, "old": before, "new": now, "as_of": as_of,
                "on_day": _day(tx, as_of, line["fetched_at"]), "origin": line["origin"],
            }
        )  # fmt: skip
    last: dict[str, dict[str, Any]] = {}
    for past in sorted(snapshot.history, key=lambda one: (one.field, one.as_of)):
        value = {**past.value.as_json(), "as_of": past.as_of.isoformat()}
        before = last.get(past.field)
        last[past.field] = value
        now = line["merged"].get(past.field)
        if (before is not None and essence(before) == essence(value)) or (
            now and now["as_of"] == value["as_of"]
        ):
            continue
        rows.append(
            {
                **common, "id": new_id(), "field": past.field, "old": before, "new": value, "as_of": past.as_of,
                "on_day": past.as_of, "origin": "back_filled", "snapshot_id": None,
            }
        )  # fmt: skip
    return rows


def _day(tx: Tx, as_of: str | None, fetched_at: datetime) -> str:
    """The day a value counts from: the provider's date, never later than the day it was seen."""
    seen = local_date(fetched_at, tx.tenant.time_zone).isoformat()
    return min(as_of, seen) if as_of else seen


async def _keep_raw(
    tx: Tx, connection_id: UUID, results: Sequence[Taken], former: Mapping[UUID, Row]
) -> dict[UUID, UUID | None]:
    """Store answers that differ from the stored ones; the id of each company's newest answer."""
    kept = {result.company_id: result.raw_id for result in results if result.raw_id is not None}
    known = await snapshots.raw_shas(
        tx, [row["raw_id"] for row in former.values() if row["raw_id"] is not None]
    )
    rows = []
    for result in results:
        if result.company_id in kept or not result.answers:
            continue
        digest = _digest(result.answers)
        before = former.get(result.company_id)
        if before is not None and known.get(before["raw_id"]) == digest:
            kept[result.company_id] = before["raw_id"]
            continue
        kept[result.company_id] = new_id()
        content = msgspec.json.encode([_stored(answer) for answer in result.answers])
        rows.append((kept[result.company_id], connection_id, result.company_id, tx.now, digest, content))
    if rows:
        await snapshots.keep_raw(tx, rows)
    return dict(kept)


def _digest(answers: Sequence[RawAnswer]) -> bytes:
    text = "\n".join(f"{answer.part} {answer.status} {answer.failure} {answer.sha256}" for answer in answers)
    return hashlib.sha256(text.encode()).digest()


def _stored(answer: RawAnswer) -> dict[str, Any]:
    return {
        "part": answer.part, "request": answer.request, "status": answer.status, "media_type": answer.media_type,
        "body": base64.b64encode(answer.body).decode(), "fetched_at": answer.fetched_at, "failure": answer.failure,
        "billed": answer.billed,
    }  # fmt: skip


def answers_of(content: bytes) -> list[RawAnswer]:
    """Stored answers, as they came."""
    return [
        RawAnswer(
            **{
                **one,
                "body": base64.b64decode(one["body"]),
                "fetched_at": datetime.fromisoformat(one["fetched_at"]),
            }
        )
        for one in msgspec.json.decode(content)
    ]


def notice_json(notice: LegalNotice) -> dict[str, Any]:
    """A legal notice as it is kept and shown."""
    return {
        "source": notice.source, "source_id": notice.source_id, "published_on": notice.published_on,
        "judged_on": notice.judged_on, "effective_on": notice.effective_on, "type": notice.type, "family": notice.family,
        "nature": notice.nature, "effect": notice.ruling.effect, "target": notice.ruling.target,
        "review": notice.ruling.review, "court": notice.court, "text": notice.text, "replaces": notice.replaces,
        "url": notice.url,
    }  # fmt: skip


def _outcome(result: Taken, moved: set[UUID]) -> dict[str, Any]:
    error = result.error
    if error is None:
        outcome = "changed" if result.company_id in moved else "unchanged"
    elif isinstance(error, CompanyNotFound):
        outcome = "not_found"
    else:
        outcome = "unknown" if isinstance(error, Uncertain) else "failed"
    return {
        "company_id": result.company_id,
        "outcome": outcome,
        "error": None if error is None else told(error),
        "billed": result.billed,
    }
