"""What hangs on a company that was merged into another: it belongs to the other now, unless the other has its own."""

from uuid import UUID

from libs.kit.db import Tx

#: Tables with one row a company and something else: where both companies have one, that of the company that stays counts.
_KEYED = {
    "monitorings": "o.connection_id = t.connection_id",
    "provider_records": "o.connection_id = t.connection_id",
    "insurer_grades": "o.insurer = t.insurer",
}
#: Histories: they are one from now on.
_LISTED = ("snapshots", "raw_answers", "field_changes")


async def repoint(tx: Tx, ended: UUID, into: UUID) -> None:
    """Move monitorings, records and history; what the company that ended had twice is dropped."""
    for table, same in _KEYED.items():
        await tx.execute(
            f"UPDATE {table} t SET company_id = $3 WHERE t.tenant_id = $1 AND t.company_id = $2 AND NOT EXISTS"
            f" (SELECT 1 FROM {table} o WHERE o.tenant_id = $1 AND o.company_id = $3 AND {same})",
            tx.tenant_id,
            ended,
            into,
        )
        await tx.execute(f"DELETE FROM {table} WHERE tenant_id = $1 AND company_id = $2", tx.tenant_id, ended)
    for table in _LISTED:
        moved = (
            " AND NOT EXISTS (SELECT 1 FROM field_changes o WHERE o.tenant_id = $1 AND o.company_id = $3"
            " AND o.connection_id = t.connection_id AND o.field = t.field AND o.on_day = t.on_day"
            " AND o.origin = 'back_filled' AND t.origin = 'back_filled')"
            if table == "field_changes"
            else ""
        )
        await tx.execute(
            f"UPDATE {table} t SET company_id = $3 WHERE t.tenant_id = $1 AND t.company_id = $2{moved}",
            tx.tenant_id,
            ended,
            into,
        )
    await tx.execute("DELETE FROM company_risk WHERE tenant_id = $1 AND company_id = $2", tx.tenant_id, ended)
