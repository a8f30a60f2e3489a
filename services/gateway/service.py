"""What the gateway is made of, besides the proxy in front of it."""

from libs.kit.service import Service
from services.gateway.api import (
    api_keys,
    audit_log,
    auth_token,
    business_units,
    events,
    files,
    internal,
    me,
    overview,
    reference,
    sandbox,
    settings,
    users,
    webhook_deliveries,
    webhook_endpoints,
)
from services.gateway.feed import publishing
from services.gateway.usecases import advance_clock, deliver_webhooks, forgetting, webhooks

SERVICE = Service(
    name="gateway",
    title="Encours gateway",
    description="Access, settings, the sandbox, events, files, and the one door to everything else.",
    routers=[
        me.router,
        auth_token.router,
        api_keys.router,
        business_units.router,
        users.router,
        settings.router,
        events.router,
        webhook_endpoints.router,
        webhook_deliveries.router,
        audit_log.router,
        files.router,
        overview.router,
        reference.router,
        sandbox.router,
        internal.router,
    ],
    # Also its own: what the gateway tells stands in the public stream like everything else.
    consumers=("ledger", "risk", "credit", "dunning", "gateway"),
    consumes=publishing.consumes(),
    jobs={advance_clock.JOB: advance_clock.run, webhooks.JOB: deliver_webhooks.run},
    day_steps={forgetting.STEP: forgetting.forget_old},
    sweeps=[advance_clock.sweep, deliver_webhooks.sweep],
)
