"""What credit is made of."""

from libs.kit.service import Service
from libs.kit.tenant_registry import keep_tenants
from services.credit.api import credit_limits, limit_requests
from services.credit.feed import ledger
from services.credit.storage import states
from services.credit.usecases.days import end_what_ran_out

SERVICE = Service(
    name="credit",
    title="Encours credit",
    description="How much we allow: credit limits and the decisions behind them.",
    routers=[limit_requests.router, credit_limits.router],
    consumers=("ledger", "risk", "dunning", "gateway"),
    consumes={
        "gateway": {"tenant.changed": keep_tenants},
        "ledger": {
            "company.changed": ledger.keep_companies,
            "customer.changed": ledger.keep_customers,
            "balance.changed": ledger.keep_exposures,
            "rate.changed": ledger.keep_rates,
            "company.merged": ledger.follow_mergers,
        },
    },
    forgets={"ledger": ledger.forget},
    states={"limit.changed": states.limit_states, "limit_request.changed": states.request_states},
    day_steps={"limits": end_what_ran_out},
)
