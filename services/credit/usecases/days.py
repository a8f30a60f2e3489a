"""What a day brings to limits: requests left alone expire, validities run out."""

from datetime import date, timedelta

from libs.kit.db import Tx
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.credit.storage import limits
from services.credit.usecases.announce import emit_limit
from services.credit.usecases.limit_requests import expire_requests

_ENDED = """
    UPDATE limits SET version = version + 1, updated_at = $3
     WHERE tenant_id = $1 AND state = 'approved' AND valid_until >= $2 AND valid_until < $4
 RETURNING company_id
"""
_LOOK_BACK = timedelta(days=1)


async def end_what_ran_out(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Expire requests, and tell the others of limits whose last day has passed. Twice does no harm: states follow from dates."""

    async def work(tx: Tx) -> None:
        await expire_requests(tx)
        for row in await tx.fetch(_ENDED, tx.tenant_id, day - _LOOK_BACK, tx.now, day):
            ended = await limits.limit(tx, row["company_id"])
            assert ended is not None, "it was updated a moment ago"
            emit_limit(tx, ended)

    await runtime.db.run(tenant, work)
