"""What of a company's profile should be looked at without waiting: the built-in alerts. Pure.

Each holds while the facts say so; its mark names the occurrence, so that worse news is an alert of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.risk.domain.values import PROCEEDINGS

LIMIT_EXCEEDED = "limit_exceeded"
PROCEEDINGS_OPENED = "proceedings_opened"
PRIVILEGE_REGISTERED = "privilege_registered"
SCORE_FALL = "score_fall"
STALE_DATA = "stale_data"
BUILT_IN = (LIMIT_EXCEEDED, PROCEEDINGS_OPENED, PRIVILEGE_REGISTERED, SCORE_FALL, STALE_DATA)


@dataclass(frozen=True, slots=True)
class Condition:
    """One that holds. `evidence` is what a person reads: amounts are decimal strings."""

    kind: str
    criticality: str
    evidence: dict[str, Any]
    mark: str = ""


def conditions_of(profile: Mapping[str, Any], said: Mapping[str, Any] | None) -> Iterator[Condition]:
    """Conditions that hold. `profile`: shown figures of a company; `said`: what counts of its providers' data, if any."""
    if profile["overrun"]:
        names = ("currency", "outstanding", "limit_amount", "overrun")
        yield Condition(LIMIT_EXCEEDED, "warning", {name: profile["shown"][name] for name in names})
    if profile["stale"]:
        yield Condition(STALE_DATA, "warning", {"last_checked_at": profile["heard_at"]})
    if said is None:
        return
    status = said["legal_status"]
    if status in PROCEEDINGS:
        evidence = {name: said[name] for name in ("legal_status", "legal_kind", "judged_on", "published_on")}
        yield Condition(PROCEEDINGS_OPENED, "critical", {**evidence, **_told(said, "legal_status")}, status)
    if said["privileges_rose_on"] is not None:
        figures = {name: _shown(said, name) for name in ("privileges_amount", "privileges_count")}
        evidence = {
            "registered_by": said["privileges_rose_on"],
            **figures,
            **_told(said, "privileges_amount"),
        }
        yield Condition(PRIVILEGE_REGISTERED, "critical", evidence, str(said["privileges_rose_on"]))
    if said["score_fall"] is not None:
        yield Condition(SCORE_FALL, "critical", {**said["score_fall"], **_told(said, "score")})


def _shown(said: Mapping[str, Any], name: str) -> Any:
    value = said["values"][name]
    return None if value["value"] is None else {"value": value["value"], "currency": value["currency"]}


def _told(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {"provider": said["values"][name]["provider"]}
