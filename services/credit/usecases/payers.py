"""A payer that changes class has its limit reviewed."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from libs.kit.db import Tx
from services.credit.domain.payer_class import UNKNOWN, changed, worst
from services.credit.storage import credit_files, limits
from services.credit.usecases.reviews import open_reviews


async def payer_classes(tx: Tx, customers: Sequence[UUID]) -> dict[UUID, str]:
    """The class of each company these customers belong to: the worst of its accounts'."""
    found = await credit_files.classes_of(tx, customers)
    return {company: worst(classes) for company, classes in found.items()}


async def review_changed_payers(tx: Tx, before: Mapping[UUID, str], after: Mapping[UUID, str]) -> None:
    """Open a review of every limit whose company became another class of payer."""
    moved = {
        company: f"{before[company]} → {now}"
        for company, now in after.items()
        if changed(before.get(company, UNKNOWN), now)
    }
    if moved:
        rows = await limits.limits_of(tx, list(moved))
        limited = {row["company_id"] for row in rows if row["amount"] is not None}
        reasons: dict[UUID, str | None] = {
            company: text for company, text in moved.items() if company in limited
        }
        await open_reviews(tx, reasons, "payer_class", tx.today)
