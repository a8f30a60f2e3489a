"""Limits decided elsewhere, as an import brought them to the ledger: in force as they are, without an approval here."""

from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from services.credit.usecases.announce import announce_limits
from services.credit.usecases.watch import watch_limits

#: A request that waits goes on waiting; what was on top of a limit in another currency would mean nothing any more.
_PUT = """
    WITH told AS (
        SELECT s.id AS company_id, s.version, s.amount, s.currency, s.valid_until, s.reason, s.source, s.stated_by, s.event
          FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, amount bigint, currency char(3),
               valid_until date, reason text, source text, stated_by uuid, event uuid)
          JOIN companies c ON c.tenant_id = $1 AND c.id = s.id AND c.merged_into_id IS NULL),
    put AS (
        INSERT INTO limits AS l (tenant_id, company_id, state, amount, currency, valid_from, valid_until, needs_review, reason,
                                 stated_version, created_at, updated_at, version)
        SELECT $1, company_id, 'approved', amount, currency, $3, valid_until, false, reason, version, $4, $4, 1
          FROM told ORDER BY company_id
        ON CONFLICT (tenant_id, company_id) DO UPDATE SET
            state = 'approved', amount = excluded.amount, currency = excluded.currency, valid_from = excluded.valid_from,
            valid_until = excluded.valid_until, needs_review = false, reason = excluded.reason, request_id = NULL,
            authorised_unsecured = NULL, unvalidated_since = NULL, stated_version = excluded.stated_version,
            updated_at = excluded.updated_at, version = l.version + 1
          WHERE l.stated_version < excluded.stated_version
        RETURNING company_id),
    dropped AS (
        DELETE FROM temporary_limits t USING put p JOIN told s USING (company_id)
         WHERE t.tenant_id = $1 AND t.company_id = p.company_id AND t.currency <> s.currency)
    INSERT INTO limit_history (tenant_id, company_id, id, event, state, amount, currency, valid_from, valid_until, user_id,
                               comment, recorded_at)
    SELECT $1, p.company_id, s.event, 'imported', 'approved', s.amount, s.currency, $3, s.valid_until, s.stated_by,
           s.reason, $4
      FROM put p JOIN told s USING (company_id)
    RETURNING company_id
"""


async def put_stated_limits_in_force(tx: Tx, subjects: list[Incoming]) -> None:
    """Take over what is newer than what was last stated; what was decided here since gives way to it."""
    rows = [{"id": s.id, "version": s.version, "event": new_id(), **s.data} for s in subjects]
    put = await tx.fetch(_PUT, tx.tenant_id, json_bytes(rows).decode(), tx.today, tx.now)
    companies: list[UUID] = sorted(row["company_id"] for row in put)
    await announce_limits(tx, companies)
    await watch_limits(tx, companies)
