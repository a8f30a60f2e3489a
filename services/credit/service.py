"""What credit is made of."""

from libs.kit.service import Service
from libs.kit.tenant_registry import keep_tenants
from services.credit import insurance_parts
from services.credit.api import (
    credit_checks,
    credit_files,
    credit_limits,
    limit_requests,
    limit_reviews,
    other_guarantees,
    proposals,
    risk_agenda,
)
from services.credit.feed import ledger, others
from services.credit.storage import conditions, orders, people, states
from services.credit.storage import other_guarantees as guarantee_rows
from services.credit.usecases import announce, send_mails
from services.credit.usecases.days import live_through

SERVICE = Service(
    name="credit",
    title="Encours credit",
    description="How much we allow: credit limits and the decisions behind them.",
    routers=[
        limit_requests.router,
        credit_limits.router,
        other_guarantees.router,
        risk_agenda.router,
        credit_checks.router,
        limit_reviews.router,
        credit_files.router,
        proposals.router,
        *insurance_parts.ROUTERS,
    ],
    consumers=("ledger", "risk", "dunning", "gateway"),
    consumes={
        "gateway": {"tenant.changed": keep_tenants, "user.changed": people.keep},
        "ledger": {
            "company.changed": ledger.keep_companies,
            "customer.changed": ledger.keep_customers,
            "balance.changed": ledger.keep_exposures,
            "order.changed": orders.keep,
            "limit.stated": ledger.take_stated_limits,
            "rate.changed": ledger.keep_rates,
            "company.merged": ledger.follow_mergers,
            **insurance_parts.OF_LEDGER,
        },
        "risk": {
            "provider_data.changed": others.keep_provider_facts,
            "grade.changed": others.keep_grades,
            **insurance_parts.OF_RISK,
        },
        "dunning": {
            "dispute.changed": others.keep_disputes,
            "promise.changed": others.keep_promises,
            **insurance_parts.OF_DUNNING,
        },
    },
    forgets={"ledger": ledger.forget, "risk": others.forget_risk, "dunning": others.forget_dunning},
    states={
        "limit.changed": announce.limit_states,
        "limit_request.changed": states.request_states,
        "hold.changed": announce.hold_states,
        "other_guarantee.changed": guarantee_rows.states,
        "alert_condition.changed": conditions.states,
        **insurance_parts.STATES,
    },
    jobs={send_mails.JOB: send_mails.send_due, **insurance_parts.JOBS},
    sweeps=[send_mails.sweep, *insurance_parts.SWEEPS],
    day_steps={"limits": live_through, **insurance_parts.DAY_STEPS},
)
