"""Shorthands of the ledger's tests: customers, items and payments made over HTTP, balances and events read back."""

from typing import Any
from uuid import UUID, uuid4

from libs.testkit.clients import ServiceClient

TODAY = "2026-03-31"


async def customer(client: ServiceClient, **given: Any) -> dict[str, Any]:
    """A customer with terms of 30 days, unless told otherwise."""
    body = {
        "external_id": f"C-{uuid4().hex[:10]}",
        "name": "Aciéries",
        "payment_terms": {"days": 30},
        **given,
    }
    response = await client.post("/v1/customers", json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def item(
    client: ServiceClient, customer_id: str, amount: str = "100.00", **given: Any
) -> dict[str, Any]:
    """An invoice of 1 March 2026 in EUR, unless told otherwise."""
    body = {
        "kind": "invoice",
        "customer_id": customer_id,
        "issue_date": "2026-03-01",
        "currency": "EUR",
        "amount": amount,
        **given,
    }
    response = await client.post("/v1/items", json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def payment(
    client: ServiceClient, customer_id: str, amount: str = "100.00", **given: Any
) -> dict[str, Any]:
    """A payment of 20 March 2026 in EUR, unless told otherwise."""
    body = {"customer_id": customer_id, "amount": amount, "currency": "EUR", "paid_on": "2026-03-20", **given}
    response = await client.post("/v1/payments", json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def shown(client: ServiceClient, item_id: str) -> dict[str, Any]:
    """An item as it stands."""
    response = await client.get(f"/v1/items/{item_id}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def entries(client: ServiceClient, item_id: str) -> list[tuple[str, str, str]]:
    """An item's journal: (kind, amount, effective_on)."""
    response = await client.get(f"/v1/items/{item_id}/entries")
    assert response.status_code == 200, response.text
    return [(e["kind"], e["amount"], e["effective_on"]) for e in response.json()["data"]]


async def balance(client: ServiceClient, customer_id: str, currency: str = "EUR") -> dict[str, int] | None:
    """The balance row of a customer, in minor units; None where there is none."""
    rows = await client.stack.sql(
        "ledger",
        "SELECT outstanding, credits, overdue, order_book, items_count FROM balances"
        " WHERE tenant_id = $1 AND customer_id = $2 AND currency = $3",
        client.tenant_id,
        UUID(customer_id),
        currency,
    )
    return dict(rows[0]) if rows else None


#: Every balance as the sum of its items and orders, beside what is stored: no row where the two agree.
_DISAGREEMENTS = """
    WITH true_items AS (
        SELECT i.customer_id, i.currency, sum(i.open_amount) AS outstanding, sum(least(i.open_amount, 0)) AS credits,
               sum(greatest(i.open_amount, 0)) FILTER (WHERE i.due_date < $2) AS overdue,
               count(*) FILTER (WHERE i.open_amount <> 0) AS items_count
          FROM items i WHERE i.tenant_id = $1 GROUP BY 1, 2),
    true_orders AS (
        SELECT o.customer_id, o.currency, sum(o.amount - o.invoiced_amount) FILTER (WHERE o.status = 'open') AS order_book
          FROM orders o WHERE o.tenant_id = $1 GROUP BY 1, 2)
    SELECT customer_id, currency, i.*, o.order_book, b.outstanding, b.credits, b.overdue, b.order_book, b.items_count, b.day
      FROM (SELECT * FROM balances WHERE tenant_id = $1) b
      FULL JOIN true_items i USING (customer_id, currency)
      FULL JOIN true_orders o USING (customer_id, currency)
     WHERE coalesce(b.outstanding, 0) <> coalesce(i.outstanding, 0) OR coalesce(b.credits, 0) <> coalesce(i.credits, 0)
        OR coalesce(b.overdue, 0) <> coalesce(i.overdue, 0) OR coalesce(b.items_count, 0) <> coalesce(i.items_count, 0)
        OR coalesce(b.order_book, 0) <> coalesce(o.order_book, 0)
"""
_UNJOURNALED = """
    SELECT i.id, i.open_amount, sum(e.amount) AS entries, i.closed_on
      FROM items i LEFT JOIN entries e ON e.tenant_id = i.tenant_id AND e.item_id = i.id
     WHERE i.tenant_id = $1
     GROUP BY i.tenant_id, i.id
    HAVING i.open_amount <> coalesce(sum(e.amount), 0) OR (i.open_amount = 0) <> (i.closed_on IS NOT NULL)
"""


async def require_sound(client: ServiceClient) -> None:
    """Every item is the sum of its entries and every balance the sum of its items and orders; raises AssertionError."""
    today = client.caller.tenant.today()
    assert await client.stack.sql("ledger", _UNJOURNALED, client.tenant_id) == []
    assert await client.stack.sql("ledger", _DISAGREEMENTS, client.tenant_id, today) == []


async def events(client: ServiceClient, event_type: str) -> list[tuple[str, int, dict[str, Any]]]:
    """What the feed tells of a type, in order: (subject, version, state)."""
    response = await client.stack.call(
        "ledger", "GET", f"/internal/feed?tenant_id={client.tenant_id}&types={event_type}&limit=1000"
    )
    return [
        (subject["id"], subject["version"], subject["data"])
        for event in response.json()["data"]
        for subject in event["subjects"]
    ]


async def last_events(client: ServiceClient, event_type: str) -> dict[str, dict[str, Any]]:
    """The newest state of each subject of a type."""
    newest: dict[str, tuple[int, dict[str, Any]]] = {}
    for subject, version, data in await events(client, event_type):
        if subject not in newest or newest[subject][0] < version:
            newest[subject] = (version, data)
    return {subject: data for subject, (_, data) in newest.items()}


async def states(client: ServiceClient, event_type: str) -> dict[str, dict[str, Any]]:
    """What a consumer that rebuilds would read."""
    response = await client.stack.call(
        "ledger", "GET", f"/internal/state/{event_type}?tenant_id={client.tenant_id}"
    )
    return {subject["id"]: subject["data"] for subject in response.json()["data"]}
