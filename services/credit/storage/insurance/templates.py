"""The tenant's own wording, and the state of mails."""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.db import Row, Tx
from services.credit.domain.insurance.letters import Letter

_COLUMNS = "kind, language, subject, body, created_at, updated_at, version"


async def letter(tx: Tx, kind: str, language: str) -> Letter | None:
    """The tenant's wording; None where it has none in that language."""
    row = await tx.fetchrow(
        "SELECT subject, body FROM insurance_templates WHERE tenant_id = $1 AND kind = $2 AND language = $3",
        tx.tenant_id, kind, language,
    )  # fmt: skip
    return None if row is None else Letter(row["subject"], row["body"])


async def every(tx: Tx, kind: str) -> list[Row]:
    """All languages of a kind."""
    return await tx.fetch(
        f"SELECT {_COLUMNS} FROM insurance_templates WHERE tenant_id = $1 AND kind = $2 ORDER BY language",
        tx.tenant_id,
        kind,
    )


async def keep(tx: Tx, kind: str, language: str, wording: Letter) -> None:
    """Set the wording of a kind in a language."""
    await tx.execute(
        "INSERT INTO insurance_templates (tenant_id, kind, language, subject, body, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, $6, 1) ON CONFLICT (tenant_id, kind, language) DO UPDATE SET"
        " subject = excluded.subject, body = excluded.body, updated_at = excluded.updated_at,"
        " version = insurance_templates.version + 1",
        tx.tenant_id, kind, language, wording.subject, wording.body, tx.now,
    )  # fmt: skip


async def mails(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """How mails stand: queued, sending, sent, unknown, failed or cancelled."""
    rows = await tx.fetch(
        "SELECT id, state, sent_at, error FROM mails WHERE tenant_id = $1 AND id = ANY($2)",
        tx.tenant_id,
        list(ids),
    )
    return {row["id"]: row for row in rows}
