"""Credit limit rows: accounts are found here, limits stand on their companies, and credit puts them in force from the feed."""

from typing import Any
from uuid import UUID

from libs.kit.db import Tx
from services.ledger.domain.intake.credit_limits import LIMIT_COLUMNS
from services.ledger.domain.intake.errors import Fault
from services.ledger.storage import stated_limits
from services.ledger.usecases.imports.accounts import find_accounts
from services.ledger.usecases.imports.push import Outcome, Push, Records

_IN_THE_PAST = "expected today or a later day: a limit that is over is none"
_TWICE = "expected one limit a company: an earlier row of this file states another one for the same company"


async def apply_credit_limits(tx: Tx, push: Push, records: Records) -> Outcome:
    """Bring a batch of LIMIT_COLUMNS in: what was not stated before is told, and the same again is nothing new."""
    outcome = Outcome()
    accounts = await find_accounts(tx, push, LIMIT_COLUMNS, records)
    stated: dict[UUID, dict[str, Any]] = {}
    keys: dict[UUID, str] = {}
    for (
        number, unit, key, source, customer_id, customer_key, currency, amount, valid_until, reason,
    ) in records:  # fmt: skip
        account = accounts.find(unit, customer_id, customer_key)
        if isinstance(account, Fault):
            outcome.reject(number, account.pointer, account.code, account.detail, currency, amount)
            continue
        if valid_until is not None and valid_until < tx.today:
            outcome.reject(number, "/valid_until", "in_the_past", _IN_THE_PAST, currency, amount)
            continue
        company = account["company_id"]
        limit = {
            "company_id": company, "amount": amount, "currency": currency, "valid_until": valid_until, "reason": reason,
            "source": source,
        }  # fmt: skip
        known = stated.setdefault(company, limit)
        if known is limit:
            keys[company] = key
        elif known == limit:
            outcome.unchanged += 1
        else:
            outcome.reject(number, "/customer_external_id", "company_repeated", _TWICE, currency, amount)
    told = await stated_limits.tell(tx, list(stated.values()), push.actor.user_id)
    outcome.created, outcome.updated = len(told.created), len(told.updated)
    outcome.unchanged += len(stated) - outcome.created - outcome.updated
    if push.dry_run:
        for company, key in keys.items():
            if company in told.created | told.updated:
                outcome.show("created" if company in told.created else "updated", key)
    return outcome
