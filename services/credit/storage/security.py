"""The guarantees of companies, read together: other guarantees, and what insurers cover."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from libs.kit.db import Row, Tx
from services.credit.domain.security import Guarantee
from services.credit.storage.insurance.layers import cover_guarantees

_OTHER = """
    SELECT company_id, id, kind AS layer, amount, currency, valid_from,
           least(valid_to, released_on - 1) AS valid_to
      FROM other_guarantees
     WHERE tenant_id = $1 AND company_id = ANY($2) AND (valid_to IS NULL OR valid_to >= $3)
       AND (released_on IS NULL OR released_on > $3)
     ORDER BY company_id, id
"""


async def guarantees_on(tx: Tx, companies: Sequence[UUID], day: date) -> dict[UUID, list[Guarantee]]:
    """Every guarantee of each company that has not ended before `day`."""
    found: dict[UUID, list[Guarantee]] = {company: [] for company in companies}
    for row in await tx.fetch(_OTHER, tx.tenant_id, list(companies), day):
        found[row["company_id"]].append(_other(row))
    for company, secured in (await cover_guarantees(tx, companies, day)).items():
        found[company] += secured
    return found


def _other(row: Row) -> Guarantee:
    return Guarantee(
        "other_guarantee", row["id"], row["layer"], row["amount"], row["currency"], row["valid_from"], row["valid_to"]
    )  # fmt: skip
