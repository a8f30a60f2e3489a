"""The order book's orders, so far as a check must know them, and the reservations they end."""

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming

#: A reservation ends with the news of its order: the order book counts it from then on. One that was cancelled gives it back.
_KEEP = """
    WITH told AS (
        SELECT s.id, s.company_id, s.external_id, s.currency, s.status, s.version,
               CASE WHEN s.status = 'open' THEN greatest(0, s.amount - s.invoiced_amount) ELSE 0 END AS remaining
          FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, company_id uuid, external_id text,
               currency char(3), status text, amount bigint, invoiced_amount bigint)),
    news AS (
        INSERT INTO open_orders (tenant_id, id, company_id, external_id, remaining, currency, version)
        SELECT $1, id, company_id, external_id, remaining, currency, version FROM told ORDER BY id
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            company_id = excluded.company_id, external_id = excluded.external_id, remaining = excluded.remaining,
            currency = excluded.currency, version = excluded.version
          WHERE open_orders.version < excluded.version
        RETURNING id, company_id, external_id)
    UPDATE credit_reservations r
       SET state = CASE WHEN t.status = 'cancelled' THEN 'released' ELSE 'consumed' END, ended_at = $3, updated_at = $3,
           version = r.version + 1
      FROM news n JOIN told t ON t.id = n.id
     WHERE r.tenant_id = $1 AND r.company_id = n.company_id AND r.order_external_id = n.external_id AND r.state = 'live'
"""


async def keep(tx: Tx, subjects: list[Incoming]) -> None:
    """`order.changed`."""
    rows = [{"id": s.id, "version": s.version, **s.data} for s in subjects]
    await tx.execute(_KEEP, tx.tenant_id, json_bytes(rows).decode(), tx.now)
