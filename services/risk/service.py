"""What risk is made of."""

from libs.kit.service import Service
from services.risk.api import (
    alerts,
    company_risk,
    monitorings,
    provider_connections,
    providers,
    risk_report,
)
from services.risk.feed import credit, dunning, gateway, ledger
from services.risk.feed.conditions import keep_conditions_of
from services.risk.usecases import days, desk, states

SERVICE = Service(
    name="risk",
    title="Encours risk",
    description="Who is risky: what is known of each company, joined with what it owes and what it may owe.",
    routers=[
        risk_report.router,
        alerts.router,
        providers.router,
        provider_connections.router,
        monitorings.router,
        company_risk.router,
    ],
    consumers=("ledger", "credit", "dunning", "gateway"),
    consumes={
        "gateway": {"tenant.changed": gateway.keep_tenant},
        "ledger": {
            "company.changed": ledger.keep_companies,
            "customer.changed": ledger.keep_customers,
            "balance.changed": ledger.keep_balances,
            "rate.changed": ledger.keep_rates,
            "company.merged": ledger.follow_mergers,
        },
        "credit": {
            "limit.changed": credit.keep_limits,
            "cover.changed": credit.keep_covers,
            "other_guarantee.changed": credit.keep_other_guarantees,
            "clock.approaching": credit.keep_clocks,
            "insurer_grade.changed": credit.keep_insurer_grades,
            "alert_condition.changed": keep_conditions_of("credit"),
        },
        "dunning": {"alert_condition.changed": keep_conditions_of("dunning")},
    },
    forgets={"ledger": ledger.forget, "credit": credit.forget, "dunning": dunning.forget},
    states={
        "provider_data.changed": states.provider_data,
        "legal_status.changed": states.legal_statuses,
        "monitoring.changed": states.monitored,
    },
    jobs={desk.JOB: desk.serve_job},
    job_timeouts={desk.JOB: desk.JOB_SECONDS},
    sweeps=[desk.sweep],
    day_steps={"rates": days.use_rates_of_the_day, "providers": days.synchronise, "ages": days.grow_older},
)
