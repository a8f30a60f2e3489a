"""What the ledger is made of."""

from libs.kit.service import Service
from libs.kit.tenant_registry import keep_tenants
from services.ledger.api import (
    ageing,
    balances,
    companies,
    credit_files,
    customers,
    dso,
    exchange_rates,
    import_errors,
    import_sources,
    imports,
    item_history,
    items,
    orders,
    payment_behaviour,
    payments,
    statements,
)
from services.ledger.feed import dunning
from services.ledger.feed.business_units import distrust_business_units, keep_business_units
from services.ledger.jobs.imports import TIMEOUT, run_import, sweep_imports
from services.ledger.storage import announcements, stated_limits
from services.ledger.storage import companies as company_rows
from services.ledger.storage import customers as customer_rows
from services.ledger.storage import exchange_rates as rate_rows
from services.ledger.usecases.imports.forgetting import forget_imports
from services.ledger.usecases.imports.large import RUN_IMPORT
from services.ledger.usecases.overdue import roll_overdue
from services.ledger.usecases.payer_profiles import keep_profiles

SERVICE = Service(
    name="ledger",
    title="Encours ledger",
    description="What is owed: customers, companies, items, payments, orders, balances and what they tell.",
    routers=(
        customers.router,
        companies.router,
        credit_files.router,
        exchange_rates.router,
        items.router,
        item_history.router,
        payments.router,
        orders.router,
        imports.router,
        import_errors.router,
        import_sources.router,
        statements.router,
        balances.router,
        ageing.router,
        dso.router,
        payment_behaviour.router,
    ),
    consumers=("risk", "credit", "dunning", "gateway"),
    consumes={
        "gateway": {"tenant.changed": keep_tenants, "business_unit.changed": keep_business_units},
        "dunning": {
            "qualification.changed": dunning.keep_qualifications,
            "promise.changed": dunning.keep_promises,
            "dispute.changed": dunning.keep_disputes,
            "action.changed": dunning.keep_actions,
        },
    },
    forgets={"gateway": distrust_business_units, "dunning": dunning.distrust},
    states={
        "company.changed": company_rows.states,
        "customer.changed": customer_rows.states,
        "rate.changed": rate_rows.states,
        "item.changed": announcements.read_items,
        "payment.changed": announcements.read_payments,
        "order.changed": announcements.read_orders,
        "limit.stated": stated_limits.states,
        "balance.changed": announcements.read_balances,
    },
    jobs={RUN_IMPORT: run_import},
    job_timeouts={RUN_IMPORT: TIMEOUT},
    sweeps=(sweep_imports,),
    day_steps={
        "roll_overdue": roll_overdue,
        "payer_profiles": keep_profiles,
        "forget_imports": forget_imports,
    },
)
