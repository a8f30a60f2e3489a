"""What the ledger is made of."""

from libs.kit.service import Service
from libs.kit.tenant_registry import keep_tenants

SERVICE = Service(
    name="ledger",
    title="Encours ledger",
    description="What is owed: customers, companies, items, payments, orders, balances and what they tell.",
    consumers=("risk", "credit", "dunning", "gateway"),
    consumes={"gateway": {"tenant.changed": keep_tenants}},
)
