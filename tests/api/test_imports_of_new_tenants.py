"""A tenant that the planner has no statistics of imports as fast as any other: it keeps none of any tenant."""

from libs.testkit.plugin import MakeClient
from tests.api.import_steps import TODAY, invoice, push

_STATISTICS = "SELECT tablename FROM pg_stats WHERE schemaname = 'public' AND attname = 'tenant_id'"


async def test_the_planner_keeps_no_statistics_of_tenants(service_client: MakeClient) -> None:
    ledger = await service_client("ledger", now=TODAY)
    await push(ledger, *(invoice(n) for n in range(100)))
    await ledger.stack.sql("ledger", "ANALYZE")
    assert await ledger.stack.sql("ledger", _STATISTICS) == []
