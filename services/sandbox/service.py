"""What the sandbox is made of."""

from libs.kit.service import Service
from libs.kit.tenant_registry import keep_tenants
from services.sandbox.api import insurer_doors, mails, providers, stand_in_insurers

SERVICE = Service(
    name="sandbox",
    title="Encours sandbox",
    description="Stand-ins for the outside world: a mail catcher, and doors for providers and insurers.",
    routers=[
        mails.router,
        providers.router,
        insurer_doors.router,
        insurer_doors.internal,
        stand_in_insurers.router,
    ],
    consumes={"gateway": {"tenant.changed": keep_tenants}},
)
