"""A tenant that the planner has no statistics of imports as fast as any other."""

from libs.testkit.plugin import MakeClient
from tests.api.import_steps import TODAY, invoice, push


async def test_items_of_a_new_tenant_are_found_by_their_key(service_client: MakeClient) -> None:
    old = await service_client("ledger", now=TODAY)
    await push(old, *(invoice(n, customer_external_id=f"C-{n % 50}") for n in range(5_000)))
    await old.stack.sql("ledger", "ANALYZE")
    new = await service_client("ledger", now=TODAY)
    plan = await new.stack.sql(
        "ledger",
        f"EXPLAIN SELECT i.number FROM unnest(ARRAY['{new.tenant_id}'::uuid]) AS c(id)"
        f" JOIN items i ON i.tenant_id = '{new.tenant_id}' AND i.id = c.id",
    )
    assert "pk_items" in "\n".join(row[0] for row in plan)
