"""What dunning is made of."""

from libs.kit.service import Service
from services.dunning.api import (
    actions,
    blocked_addresses,
    customer_dunning,
    customer_pages,
    disputes,
    dunning_runs,
    hand_overs,
    inbound_mailboxes,
    message_channels,
    messages,
    pauses,
    payment_plans,
    preflight,
    promises,
    qualifications,
    replies,
    scenarios,
    simulations,
    status_report,
    statuses,
    suggestions,
    templates,
)
from services.dunning.feed import gateway, ledger, risk
from services.dunning.storage import situations
from services.dunning.storage.actions import states
from services.dunning.usecases import disputes as dispute_facts
from services.dunning.usecases import mailboxes, runs, send, status_days
from services.dunning.usecases import pauses as pause_facts
from services.dunning.usecases import promises as promise_facts
from services.dunning.usecases import scenarios as assignment_facts

SERVICE = Service(
    name="dunning",
    title="Encours dunning",
    description="What we do next to be paid: scenarios, agenda, messages.",
    routers=[
        statuses.router,
        qualifications.router,
        promises.router,
        disputes.router,
        pauses.router,
        payment_plans.router,
        hand_overs.router,
        status_report.router,
        scenarios.router,
        simulations.router,
        suggestions.router,
        customer_dunning.router,
        dunning_runs.router,
        actions.router,
        preflight.router,
        messages.messages,
        templates.router,
        replies.router,
        inbound_mailboxes.router,
        inbound_mailboxes.webhook,
        customer_pages.router,
        customer_pages.public,
        message_channels.router,
        blocked_addresses.router,
    ],
    consumers=("ledger", "risk", "credit", "gateway"),
    consumes={
        "gateway": {
            "tenant.changed": gateway.keep_tenant,
            "business_unit.changed": gateway.keep_business_units,
            "user.changed": gateway.keep_users,
        },
        "ledger": {
            "customer.changed": ledger.keep_customers,
            "item.changed": ledger.keep_items,
            "payment.changed": ledger.keep_payments,
        },
        "risk": {
            "legal_status.changed": risk.keep_legal_statuses,
            "grade.changed": risk.keep_grades,
            "assignment.changed": risk.keep_assignments,
        },
    },
    forgets={"ledger": ledger.forget},
    states={
        "action.changed": states,
        "qualification.changed": situations.states,
        "promise.changed": promise_facts.states,
        "dispute.changed": dispute_facts.states,
        "pause.changed": pause_facts.states,
        "scenario_assignment.changed": assignment_facts.states,
    },
    jobs={runs.JOB: runs.run, send.JOB: send.send_due, mailboxes.JOB: mailboxes.poll},
    sweeps=[runs.sweep, send.sweep, mailboxes.sweep],
    day_steps={"reminders": runs.live_through, "statuses": status_days.keep},
)
