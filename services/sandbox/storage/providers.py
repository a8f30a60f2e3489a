"""Stand-in providers on tables: what they were told, whom they watch, what happened, who called."""

import json
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Row, Tx
from services.sandbox.domain.companies import Company, Happening


class StandIn:
    """See `services.sandbox.providers.house.House`."""

    def __init__(self, tx: Tx, connection_id: UUID) -> None:
        self._tx = tx
        self._connection = connection_id
        self.asked_of: str | None = None
        self.silent = False

    @property
    def today(self) -> date:
        return self._tx.today

    async def company(self, number: str) -> Company | None:
        self.asked_of = number
        row = await self._tx.fetchrow(
            "SELECT facts FROM provider_companies WHERE tenant_id = $1 AND connection_id = $2 AND number = $3",
            self._tx.tenant_id, self._connection, number,
        )  # fmt: skip
        told = json.loads(row["facts"]) if row else {}
        return None if told.get("unknown") else Company(number, told, self.today)

    async def told_companies(self) -> list[Company]:
        rows = await self._tx.fetch(
            "SELECT number, facts FROM provider_companies WHERE tenant_id = $1 AND connection_id = $2"
            " AND NOT COALESCE((facts ->> 'unknown')::boolean, false) ORDER BY number LIMIT 1000",
            self._tx.tenant_id, self._connection,
        )  # fmt: skip
        return [Company(row["number"], json.loads(row["facts"]), self.today) for row in rows]

    async def add(self, number: str) -> bool:
        return bool(
            await self._tx.execute(
                "INSERT INTO provider_members (tenant_id, connection_id, number) VALUES ($1, $2, $3)"
                " ON CONFLICT DO NOTHING",
                self._tx.tenant_id, self._connection, number,
            )
        )  # fmt: skip

    async def remove(self, number: str) -> bool:
        return bool(
            await self._tx.execute(
                "DELETE FROM provider_members WHERE tenant_id = $1 AND connection_id = $2 AND number = $3",
                self._tx.tenant_id, self._connection, number,
            )
        )  # fmt: skip

    async def members(self) -> list[str]:
        rows = await self._tx.fetch(
            "SELECT number FROM provider_members WHERE tenant_id = $1 AND connection_id = $2 ORDER BY number",
            self._tx.tenant_id, self._connection,
        )  # fmt: skip
        return [row["number"] for row in rows]

    async def happenings(self, *, unread: bool, since: date | None = None) -> list[Happening]:
        if self.silent:
            return []
        rows = await self._tx.fetch(
            "SELECT e.sequence, e.number, e.kind, e.happened_on, e.old, e.new, e.read FROM provider_happenings e"
            " JOIN provider_members m ON m.tenant_id = e.tenant_id AND m.connection_id = e.connection_id"
            "  AND m.number = e.number"
            " WHERE e.tenant_id = $1 AND e.connection_id = $2 AND (NOT $3 OR NOT e.read)"
            "   AND ($4::date IS NULL OR e.happened_on >= $4) ORDER BY e.sequence",
            self._tx.tenant_id, self._connection, unread, since,
        )  # fmt: skip
        return [_happening(row) for row in rows]

    async def mark_read(self, number: int) -> bool:
        return bool(
            await self._tx.execute(
                "UPDATE provider_happenings SET read = true"
                " WHERE tenant_id = $1 AND connection_id = $2 AND sequence = $3",
                self._tx.tenant_id, self._connection, number,
            )
        )  # fmt: skip

    async def tell(self, number: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Add to what is known of a company; what was told before stays unless it is told anew. All that is told now."""
        merged = await self._tx.fetchval(
            "INSERT INTO provider_companies (tenant_id, connection_id, number, facts) VALUES ($1, $2, $3, $4::jsonb)"
            " ON CONFLICT (tenant_id, connection_id, number)"
            " DO UPDATE SET facts = provider_companies.facts || excluded.facts RETURNING facts",
            self._tx.tenant_id, self._connection, number, json.dumps(facts),
        )  # fmt: skip
        return dict(json.loads(merged))

    async def happen(self, number: str, kind: str, old: str | None, new: str | None) -> None:
        """Let it be known that something changed."""
        sequence = (int(clock.wall().timestamp() * 1000) << 10) + secrets.randbelow(1024)
        await self._tx.execute(
            "INSERT INTO provider_happenings"
            " (tenant_id, connection_id, id, sequence, number, kind, happened_on, old, new, read)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, false)",
            self._tx.tenant_id, self._connection, new_id(), sequence, number, kind, self.today, old, new,
        )  # fmt: skip

    async def behaviours(self) -> list[dict[str, Any]]:
        """How it is to misbehave; the first that fits a call counts."""
        row = await self._tx.fetchval(
            "SELECT behaviours FROM provider_behaviours WHERE tenant_id = $1 AND connection_id = $2"
            " AND behaviours <> '[]' FOR UPDATE",  # calls at the same time must not both use up the last of its times
            self._tx.tenant_id, self._connection,
        )  # fmt: skip
        return list(json.loads(row)) if row else []

    async def behave(self, behaviours: list[dict[str, Any]]) -> None:
        """How it is to misbehave from now on."""
        await self._tx.execute(
            "INSERT INTO provider_behaviours (tenant_id, connection_id, behaviours) VALUES ($1, $2, $3::jsonb)"
            " ON CONFLICT (tenant_id, connection_id) DO UPDATE SET behaviours = excluded.behaviours",
            self._tx.tenant_id, self._connection, json.dumps(behaviours),
        )  # fmt: skip

    async def count(self, method: str, path: str, status: int | None, at: datetime) -> None:
        """Write a call down; `status` is None for one that was left without an answer."""
        await self._tx.execute(
            "INSERT INTO provider_calls (tenant_id, connection_id, id, method, path, number, status, called_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            self._tx.tenant_id, self._connection, new_id(), method, path, self.asked_of, status, at,
        )  # fmt: skip


def _happening(row: Row) -> Happening:
    return Happening(
        row["sequence"], row["number"], row["kind"], row["happened_on"], row["old"], row["new"], row["read"]
    )
