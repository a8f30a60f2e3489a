"""Reviewing limits: because a campaign says so, a limit ends, a payer changes, or somebody asks. Each stands in the agenda."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, not_found
from services.credit.domain.limit_state import allowed_on, usage_of
from services.credit.storage import exposure, limits, reviews, temporaries
from services.credit.usecases.agenda import plan_action, withdraw_actions
from services.credit.usecases.announce import limit_of

_TITLES: Mapping[str, str] = {
    "campaign": "Review the credit limit",
    "manual": "Review the credit limit",
    "payer_class": "Review the credit limit: it pays differently",
    "limit_end": "Review the credit limit before it ends",
}


async def open_reviews(
    tx: Tx, companies: Mapping[UUID, str | None], kind: str, due_on: date, *,
    assignee: UUID | None = None, campaign_id: UUID | None = None,
) -> list[Row]:  # fmt: skip
    """Open a review of each company (with its reason) and plan it in the agenda; one open review of a kind is enough."""
    wanted = [
        {
            "id": new_id(), "company_id": company, "campaign_id": campaign_id, "kind": kind, "due_on": due_on,
            "reason": reason, "assignee": assignee,
        }
        for company, reason in companies.items()
    ]  # fmt: skip
    opened = await reviews.open_all(tx, wanted) if wanted else []
    amounts = {
        row["company_id"]: row for row in await limits.limits_of(tx, [r["company_id"] for r in opened])
    }
    for row in opened:
        limit = amounts.get(row["company_id"])
        await plan_action(
            tx, kind="limit_review", company_id=row["company_id"], due_on=due_on, title=_TITLES[kind],
            source_key=_key(row["id"]), object_id=row["id"], assignee=assignee,
            amount_at_stake=limit["amount"] if limit else None,
            currency=limit["currency"] if limit and limit["amount"] is not None else None,
        )  # fmt: skip
    return opened


async def start_campaign(
    tx: Tx, name: str, due_on: date, assignee: UUID | None, criteria: dict[str, Any], perimeter: Sequence[UUID] | None
) -> Row:  # fmt: skip
    """Open a review of every limit the criteria name; a company under review in another campaign is left out."""
    identifier = new_id()
    await reviews.insert_campaign(
        tx, identifier, {"name": name, "due_on": due_on, "criteria": criteria, "assignee": assignee}
    )
    rows = await reviews.candidates(tx, criteria, perimeter)
    if criteria["used_percent_from"] is not None:
        rows = await _used(tx, rows, criteria["used_percent_from"])
    companies = {row["company_id"]: name for row in rows}
    await open_reviews(tx, companies, "campaign", due_on, assignee=assignee, campaign_id=identifier)
    tx.audit("review_campaign_started", "review_campaign", identifier, None, {"name": name})
    row = await reviews.campaign(tx, identifier)
    assert row is not None, "it was written a moment ago"
    return row


async def review_what_ends(tx: Tx, first: date, last: date) -> None:
    """Open a review of every limit whose last day lies between two days."""
    by_day: dict[date, dict[UUID, str | None]] = {}
    for row in await reviews.ending_between(tx, first, last):
        by_day.setdefault(row["valid_until"], {})[row["company_id"]] = None
    for day, companies in by_day.items():
        await open_reviews(tx, companies, "limit_end", day)


async def complete(
    tx: Tx, row: Row, user_id: UUID | None, outcome: str, request_id: UUID | None, comment: str | None
) -> Row:
    """Say what came of a locked review. Raises 409 `invalid_state`, 422 for a request that is not of this company."""
    _require_open(row)
    if request_id is not None:
        request = await limits.request(tx, request_id)
        if request is None or request["company_id"] != row["company_id"]:
            raise not_found("credit limit request", request_id)
    return await _end(tx, row, "done", user_id, outcome, comment, request_id)


async def cancel(tx: Tx, row: Row, user_id: UUID | None, comment: str | None) -> Row:
    """Give a locked review up. Raises 409 `invalid_state`."""
    _require_open(row)
    return await _end(tx, row, "cancelled", user_id, None, comment, None)


async def the_review(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row:
    """A review. Raises 404."""
    row = await reviews.review(tx, identifier, lock=lock)
    if row is None:
        raise not_found("limit review", identifier)
    return row


async def _end(
    tx: Tx, row: Row, state: str, user_id: UUID | None, outcome: str | None, comment: str | None, request_id: UUID | None
) -> Row:  # fmt: skip
    await reviews.update(
        tx, row["id"], state=state, outcome=outcome, comment=comment, request_id=request_id, completed_by=user_id,
        completed_at=tx.now,
    )  # fmt: skip
    await withdraw_actions(tx, _key(row["id"]), outcome=f"review_{state}")
    limit = await limits.limit(tx, row["company_id"])
    if limit is not None and state == "done":
        await limits.add_history(
            tx, row["company_id"], "reviewed", limit, user_id=user_id, comment=comment, request_id=request_id
        )
        if limit["needs_review"]:
            await limits.change_limit(tx, row["company_id"], needs_review=False)
    tx.audit(f"limit_review_{state}", "limit_review", row["id"], {"state": "open"}, {"outcome": outcome})
    return await the_review(tx, row["id"])


async def _used(tx: Tx, rows: Sequence[Row], percent: int) -> list[Row]:
    """Of these limits, those used up to a percentage at least."""
    companies = [row["company_id"] for row in rows]
    known = {row["company_id"]: row for row in await limits.limits_of(tx, companies)}
    extra = await temporaries.totals_on(tx, companies, tx.today)
    owed = await exposure.exposures_of(tx, {row["company_id"]: row["currency"] for row in rows})
    found = []
    for row in rows:
        company = row["company_id"]
        allowed = allowed_on(limit_of(tx, known[company], extra.get(company, 0)), tx.today)
        usage = usage_of(owed[company].outstanding, allowed)
        if usage.used_percent is not None and usage.used_percent >= percent:
            found.append(row)
    return found


def _key(review_id: UUID) -> str:
    return f"limit_review:{review_id}"


def _require_open(row: Row) -> None:
    if row["state"] != "open":
        raise Problem(409, "invalid_state", f"The review is {row['state']}.", state=row["state"])
