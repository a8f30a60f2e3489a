"""What dunning is made of."""

from libs.kit.service import Service
from services.dunning.api import actions, blocked_addresses, dunning_runs, messages, templates
from services.dunning.feed import gateway, ledger
from services.dunning.storage.actions import states
from services.dunning.usecases import runs, send

SERVICE = Service(
    name="dunning",
    title="Encours dunning",
    description="What we do next to be paid: scenarios, agenda, messages.",
    routers=[
        dunning_runs.router,
        actions.router,
        messages.messages,
        templates.router,
        blocked_addresses.router,
        messages.scenarios,
    ],
    consumers=("ledger", "risk", "credit", "gateway"),
    consumes={
        "gateway": {
            "tenant.changed": gateway.keep_tenant,
            "business_unit.changed": gateway.keep_business_units,
        },
        "ledger": {"customer.changed": ledger.keep_customers, "item.changed": ledger.keep_items},
    },
    forgets={"ledger": ledger.forget},
    states={"action.changed": states},
    jobs={runs.JOB: runs.run, send.JOB: send.send_due},
    sweeps=[runs.sweep, send.sweep],
    day_steps={"reminders": runs.live_through},
)
