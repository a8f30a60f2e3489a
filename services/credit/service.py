"""What credit is made of."""

from libs.kit.service import Service
from libs.kit.tenant_registry import keep_tenants

SERVICE = Service(
    name="credit",
    title="Encours credit",
    description="How much we allow: credit limits and the decisions behind them.",
    consumers=("ledger", "risk", "dunning", "gateway"),
    consumes={"gateway": {"tenant.changed": keep_tenants}},
)
