"""BODACC → canonical: notices in, the legal status out. Pure."""

from collections.abc import Sequence
from typing import Any

from services.risk.domain.legal.notices import LegalNotice
from services.risk.domain.legal.standing import LegalStanding, legal_history, legal_standing
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.errors import GarbageAnswer
from services.risk.providers.facts import CanonicalValue, HistoricValue, RawAnswer, Snapshot
from services.risk.providers.reading import integer, json_object
from services.risk.providers.values import legal, portal, snapshot

_PORTAL = "https://www.bodacc.fr/pages/annonces-commerciales/?q.registre=registre:{}"


def records(answers: Sequence[RawAnswer]) -> list[dict[str, Any]]:
    """All records of all pages. Raises GarbageAnswer when pages are missing: half a list of notices is no list."""
    found: list[dict[str, Any]] = []
    total = 0
    for answer in answers:
        document = json_object(answer.body)
        count, page = integer(document.get("total_count")), document.get("results")
        if count is None or not isinstance(page, list) or not all(isinstance(one, dict) for one in page):
            raise GarbageAnswer("not a page of records")
        total = count
        found += page
    if len(found) < total:
        raise GarbageAnswer(f"{total} notices announced, {len(found)} received")
    return found


def map_notices(
    notices: Sequence[LegalNotice], *, product: str, version: int, capabilities: Capabilities, siren: str
) -> Snapshot:
    """The snapshot of a company whose notices these are, all of them."""
    ordered = tuple(sorted(notices, key=lambda notice: (notice.published_on, notice.source_id)))
    standing = legal_standing(ordered)
    history = [
        HistoricValue("legal_status", legal_value(then), then.published_on or day)
        for day, then in legal_history(ordered)
    ]
    unread = [f"notice {notice.source_id}: not understood" for notice in ordered if notice.ruling.review]
    return snapshot(
        "bodacc",
        product,
        version,
        capabilities,
        {"legal_status": legal_value(standing), "portal_url": portal(_PORTAL.format(siren), ("bodacc.fr",))},
        provider_reference=siren,
        as_of=ordered[-1].published_on if ordered else None,
        notices=ordered,
        history=history,
        warnings=unread,
    )


def legal_value(standing: LegalStanding) -> CanonicalValue:
    """A standing as the canonical value of `legal_status`, with its dates and its doubts in detail."""
    return legal(
        standing.status,
        as_of=standing.published_on,
        kind=standing.effect.value if standing.effect else None,
        judged_on=standing.judged_on.isoformat() if standing.judged_on else None,
        published_on=standing.published_on.isoformat() if standing.published_on else None,
        opened_on=standing.opened_on.isoformat() if standing.opened_on else None,
        court=standing.court,
        under_plan=standing.under_plan or None,
        struck_off_on=standing.struck_off_on.isoformat() if standing.struck_off_on else None,
        implied=standing.implied or None,
        review=standing.review or None,
        notice=standing.decided_by,
    )
