"""What the gateway is made of, besides the proxy in front of it."""

from libs.kit.service import Service
from services.gateway.api import access, internal, sandbox, settings
from services.gateway.usecases import advance_clock

SERVICE = Service(
    name="gateway",
    title="Encours gateway",
    description="Access, settings, the sandbox, events, files, and the one door to everything else.",
    routers=[access.router, settings.router, sandbox.router, internal.router],
    consumers=("ledger", "risk", "credit", "dunning"),
    jobs={advance_clock.JOB: advance_clock.run},
    sweeps=[advance_clock.sweep],
)
