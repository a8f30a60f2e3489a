"""Scenarios and their versions as rows."""

from dataclasses import asdict, dataclass
from datetime import time
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from libs.kit.responses import json_bytes
from services.dunning.domain.scenario import Channel, Mode, ScenarioVersion, Step
from services.dunning.domain.sending_window import SendingRules

_VERSION = (
    "v.id AS version_id, v.scenario_id, v.number, v.steps, v.minimums, v.ignore_under, v.cap_days, v.rules,"
    " v.published_by, v.published_at"
)
_SCENARIO = f"""
    {{select}} s.id, s.name, s.description, s.is_default, s.archived, s.created_at, s.updated_at, s.version, {_VERSION}
      FROM scenarios s
      JOIN LATERAL (SELECT * FROM scenario_versions v WHERE v.tenant_id = s.tenant_id AND v.scenario_id = s.id
                     ORDER BY number DESC LIMIT 1) v ON true
"""


@dataclass(frozen=True, slots=True)
class Scenarios:
    """The newest version of every scenario of a tenant, and the one that customers without another follow."""

    default: ScenarioVersion
    by_id: dict[UUID, ScenarioVersion]

    def of(self, customer: Row) -> ScenarioVersion:
        """The version a customer's row follows."""
        return self.by_id.get(customer["scenario_id"], self.default)


async def in_force(tx: Tx) -> Scenarios:
    """All that plan with."""
    rows = await tx.fetch(f"{_SCENARIO.format(select='SELECT')} WHERE s.tenant_id = $1", tx.tenant_id)
    versions = {row["id"]: version_of(row) for row in rows}
    default = next(versions[row["id"]] for row in rows if row["is_default"])
    return Scenarios(default, versions)


async def get(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row | None:
    """A scenario with its newest version."""
    tail = " FOR UPDATE OF s" if lock else ""
    return await tx.fetchrow(
        f"{_SCENARIO.format(select='SELECT')} WHERE s.tenant_id = $1 AND s.id = $2{tail}",
        tx.tenant_id, identifier,
    )  # fmt: skip


async def page(tx: Tx, archived: bool | None, cursor: str | None, limit: int) -> list[Row]:
    """A page of scenarios, by name."""
    keys = [SortKey("s.name", "text"), SortKey("s.id", "uuid")]
    statement = Statement()
    statement.where("s.tenant_id = {}", tx.tenant_id)
    if archived is not None:
        statement.where("s.archived = {}", archived)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"{_SCENARIO.format(select=f'SELECT {cursor_columns(keys)},')} {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def versions(tx: Tx, scenario_id: UUID, cursor: str | None, limit: int) -> list[Row]:
    """A page of a scenario's versions, newest first."""
    keys = [SortKey("v.number", "integer", descending=True)]
    statement = Statement()
    statement.where("v.tenant_id = {} AND v.scenario_id = {}", tx.tenant_id, scenario_id)
    order = keyset(statement, keys, cursor)
    return await tx.fetch(
        f"SELECT {_VERSION}, {cursor_columns(keys)} FROM scenario_versions v {statement.clause()} {order}"
        f" LIMIT {statement.bind(limit + 1)}",
        *statement.params,
    )


async def version(tx: Tx, version_id: UUID) -> Row | None:
    """One version."""
    return await tx.fetchrow(
        f"SELECT {_VERSION} FROM scenario_versions v WHERE v.tenant_id = $1 AND v.id = $2",
        tx.tenant_id,
        version_id,
    )


async def insert(tx: Tx, name: str, description: str, *, default: bool = False) -> UUID:
    """A scenario, without a version yet."""
    identifier = new_id()
    await tx.execute(
        "INSERT INTO scenarios (tenant_id, id, name, description, is_default, archived, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, false, $6, $6, 1)",
        tx.tenant_id, identifier, name, description, default, tx.now,
    )  # fmt: skip
    return identifier


async def publish(tx: Tx, scenario_id: UUID, what: ScenarioVersion, by: UUID | None) -> None:
    """The next version of a scenario. `what.id` becomes its id."""
    await tx.execute(
        "INSERT INTO scenario_versions (tenant_id, id, scenario_id, number, steps, minimums, ignore_under, cap_days, rules,"
        " published_by, published_at) SELECT $1, $2, $3, coalesce(max(number), 0) + 1, $4, $5, $6, $7, $8, $9, $10"
        " FROM scenario_versions WHERE tenant_id = $1 AND scenario_id = $3",
        tx.tenant_id, what.id, scenario_id, _json([asdict(step) for step in what.steps]), _json(dict(what.minimums)),
        _json(dict(what.ignore_under)), what.cap_days, _json(_rules(what)), by, tx.now,
    )  # fmt: skip


async def update(tx: Tx, identifier: UUID, **values: Any) -> None:
    """Set members of a scenario; what it says is a version's."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, start=4))
    await tx.execute(
        f"UPDATE scenarios SET {sets}updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, identifier, tx.now, *values.values(),
    )  # fmt: skip


def version_of(row: Row) -> ScenarioVersion:
    """A scenario version from its row."""
    rules: dict[str, Any] = msgspec.json.decode(row["rules"])
    return ScenarioVersion(
        id=row["version_id"],
        scenario_id=row["scenario_id"],
        steps=tuple(_step(step) for step in msgspec.json.decode(row["steps"])),
        minimums=msgspec.json.decode(row["minimums"]),
        ignore_under=msgspec.json.decode(row["ignore_under"]),
        cap_days=row["cap_days"],
        cap_across_accounts=rules["cap_across_accounts"],
        net_credits=rules["net_credits"],
        sending=SendingRules(
            weekdays=frozenset(rules["weekdays"]),
            opens=time.fromisoformat(rules["opens"]),
            closes=time.fromisoformat(rules["closes"]),
            calendar=rules["calendar"],
        ),
    )


def _rules(what: ScenarioVersion) -> dict[str, Any]:
    return {
        "cap_across_accounts": what.cap_across_accounts,
        "net_credits": what.net_credits,
        "weekdays": sorted(what.sending.weekdays),
        "opens": what.sending.opens.isoformat("minutes"),
        "closes": what.sending.closes.isoformat("minutes"),
        "calendar": what.sending.calendar,
    }


def _step(stored: dict[str, Any]) -> Step:
    template, assignee = stored.get("template_id"), stored.get("assignee_user_id")
    return Step(
        channel=Channel(stored["channel"]),
        mode=Mode(stored["mode"]),
        template_id=UUID(template) if template else None,
        offset_days=stored.get("offset_days"),
        after_days=stored.get("after_days"),
        assignee_user_id=UUID(assignee) if assignee else None,
    )


def _json(value: Any) -> str:
    return json_bytes(value).decode()
