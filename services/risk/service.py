"""What risk is made of."""

from libs.kit.service import Service
from libs.kit.tenant_registry import keep_tenants

SERVICE = Service(
    name="risk",
    title="Encours risk",
    description="Who is risky: what providers know of each company, joined with what it owes and what it may owe.",
    consumers=("ledger", "credit", "dunning", "gateway"),
    consumes={"gateway": {"tenant.changed": keep_tenants}},
)
