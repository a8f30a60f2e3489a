"""What sandbox is made of."""

from libs.kit.service import Service
from libs.kit.tenant_registry import keep_tenants

SERVICE = Service(
    name="sandbox",
    title="Encours sandbox",
    description="Stand-ins for the outside world: a mail catcher, and doors for providers and insurers.",
    consumers=(),
    consumes={"gateway": {"tenant.changed": keep_tenants}},
)
