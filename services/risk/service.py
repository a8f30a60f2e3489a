"""What risk is made of."""

from libs.kit.service import Service
from services.risk.api import alerts, risk_report
from services.risk.feed import credit, dunning, gateway, ledger
from services.risk.feed.conditions import keep_conditions_of
from services.risk.usecases.days import use_rates_of_the_day

SERVICE = Service(
    name="risk",
    title="Encours risk",
    description="Who is risky: what is known of each company, joined with what it owes and what it may owe.",
    routers=[risk_report.router, alerts.router],
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
            "alert_condition.changed": keep_conditions_of("credit"),
        },
        "dunning": {"alert_condition.changed": keep_conditions_of("dunning")},
    },
    forgets={"ledger": ledger.forget, "credit": credit.forget, "dunning": dunning.forget},
    day_steps={"rates": use_rates_of_the_day},
)
