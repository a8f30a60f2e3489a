"""Steering a provider's portfolio: companies identified, added, taken away. Being there already is a success."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.errors import CompanyNotFound, ProviderError, Rejected, Uncertain
from services.risk.providers.port import Candidate, CompanyRef, Member, Provider
from services.risk.storage import monitorings
from services.risk.usecases.calls import Down, Line

BATCH = 40
_TRIES = 5


class Ambiguous(Rejected):
    """Several companies may be meant: a person chooses one at provider-matches."""

    kind = "match_ambiguous"


def reference(row: Mapping[str, Any]) -> CompanyRef:
    """A company as adapters take it."""
    return CompanyRef(
        registration_number=row["registration_number"] or "",
        country=row["country"] or "",
        name=row["name"],
        vat_number=row["vat_number"],
        provider_reference=row["provider_ref"],
    )


async def change_one(
    provider: Provider, line: Line, capabilities: Capabilities, row: Row, members: Sequence[Member] | None
) -> tuple[dict[str, Any], int]:
    """Bring one membership where it is wanted; what to write down of it, and how many calls were charged. Raises Down."""
    outcome: dict[str, Any] = {
        "id": row["id"], "seen": row["state"], "state": row["state"], "provider_ref": None, "match_kind": None,
        "error": None, "attempts": row["attempts"] + 1, "next_attempt_at": None,
    }  # fmt: skip
    billed = 0
    try:
        if row["state"] == "unknown":
            _reconcile(outcome, row, members)
        elif row["state"] == "removing":
            if capabilities.portfolio.remove:
                await line.ask(lambda: provider.remove(reference(row)))
            outcome["state"] = "absent"
        else:
            billed = await _add(provider, line, capabilities, row, outcome)
            outcome["state"] = "member"
    except Uncertain as error:
        outcome |= {"state": "unknown", "error": _told(error)}
    except ProviderError as error:
        outcome["error"] = _told(error)
        if error.retry and outcome["attempts"] < _TRIES:
            outcome["next_attempt_at"] = clock.wall() + timedelta(minutes=2 ** outcome["attempts"])
        else:
            outcome["state"] = "failed"
    return outcome, billed


async def _add(
    provider: Provider, line: Line, capabilities: Capabilities, row: Row, outcome: dict[str, Any]
) -> int:
    billed = 0
    company = reference(row)
    if company.provider_reference is None and capabilities.search_by:
        billed += capabilities.search_billed
        found = identified(await line.ask(lambda: provider.search(company)))
        outcome |= {"provider_ref": found.provider_reference, "match_kind": "exact_id"}
        company = reference({**dict(row), "provider_ref": found.provider_reference})
    if capabilities.portfolio.add:
        done = await line.ask(lambda: provider.add(company))
        billed += done.billed
        if done.provider_reference is not None:
            outcome["provider_ref"] = done.provider_reference
    return billed


def identified(candidates: Sequence[Candidate]) -> Candidate:
    """The one company that bears the number asked for. Raises CompanyNotFound when there is none, Ambiguous when a person
    has to choose."""
    exact = [candidate for candidate in candidates if candidate.exact]
    active = [candidate for candidate in exact if candidate.active is not False] or exact
    if len(active) == 1:
        return active[0]
    if not candidates:
        raise CompanyNotFound("The provider finds no such company.")
    raise Ambiguous("Several companies may be meant: choose one at provider-matches.")


def _reconcile(outcome: dict[str, Any], row: Row, members: Sequence[Member] | None) -> None:
    """A call that may have worked: the portfolio itself says whether it did. Where it cannot be listed a person decides."""
    if members is None:
        outcome["next_attempt_at"] = clock.wall() + timedelta(days=1)
        return
    there = any(
        (row["provider_ref"] is not None and member.provider_reference == row["provider_ref"])
        or (
            row["registration_number"] is not None
            and member.registration_number == row["registration_number"]
        )
        for member in members
    )
    outcome["state"] = "member" if there else "adding"


async def settle(tx: Tx, connection: Row, outcomes: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Write what came of some memberships and tell it."""
    rows = await monitorings.settle(tx, outcomes)
    tell(tx, connection["provider"], rows)
    return rows


def tell(tx: Tx, provider: str, rows: Sequence[Row]) -> None:
    """`monitoring.changed`."""
    tx.emit(
        "monitoring.changed",
        [
            Subject(
                row["id"],
                row["version"],
                {
                    "company_id": row["company_id"],
                    "provider_connection_id": row["connection_id"],
                    "provider": provider,
                    "state": row["state"],
                },
            )
            for row in rows
        ],
    )


def _told(error: ProviderError) -> dict[str, Any]:
    return {"code": error.kind, "detail": error.detail, "provider_code": error.code}


__all__ = ["BATCH", "Ambiguous", "Down", "change_one", "identified", "reference", "settle", "tell"]
