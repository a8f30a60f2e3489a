"""Large imports: applied by a worker when nudged, found by a sweep when the nudge was lost or the worker died."""

from uuid import UUID

from libs.kit.runtime import Runtime
from services.ledger.storage import imports
from services.ledger.usecases.imports.large import RUN_IMPORT, job_id, work_on

#: Seconds. One that takes longer is ended, and goes on where it was.
TIMEOUT = 3600


async def run_import(runtime: Runtime, tenant_id: str, import_id: str) -> None:
    """Go on with an import."""
    tenant = await runtime.tenant(UUID(tenant_id))
    await work_on(runtime.db, tenant, UUID(import_id), runtime.ring)


async def sweep_imports(runtime: Runtime) -> None:
    """Nudge imports nobody works on; forget those whose body never arrived whole."""
    async with runtime.db.system() as connection:
        rows = await imports.abandoned(connection)
    for row in rows:
        if row["status"] == "processing":
            ids = str(row["tenant_id"]), str(row["id"])
            await runtime.jobs.enqueue(RUN_IMPORT, *ids, job_id=job_id(row["id"]))
            continue
        async with runtime.db.transaction(await runtime.tenant(row["tenant_id"])) as tx:
            await imports.discard(tx, row["id"])
