"""What dunning is made of."""

from libs.kit.service import Service
from libs.kit.tenant_registry import keep_tenants

SERVICE = Service(
    name="dunning",
    title="Encours dunning",
    description="What we do next to be paid: scenarios, agenda, messages.",
    consumers=("ledger", "risk", "credit", "gateway"),
    consumes={"gateway": {"tenant.changed": keep_tenants}},
)
