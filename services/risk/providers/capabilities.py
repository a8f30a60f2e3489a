"""What a provider can do, so that front ends can hide what it cannot and nobody takes silence for a zero."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from services.risk.providers.fields import FIELDS

Supply = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Which portfolio calls exist. `bulk_max`: companies a bulk call takes, None where there is no bulk call."""

    add: bool = False
    remove: bool = False
    list: bool = False
    bulk_max: int | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """How changes become known. `cursor`: what one asks by; `ack`: whether read events are marked read."""

    mode: Literal["none", "pull", "poke", "push"] = "none"
    cursor: Literal["date", "page", "unread"] | None = None
    ack: bool = False
    whole_market: bool = False
    """Events name companies outside the portfolio too: keep only those monitored."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a provider takes; `source` says whether that is written in its documents or our own caution."""

    calls: int
    seconds: int
    source: Literal["documented", "configured"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The matrix of one adapter. `fields`: yes, no, or unknown where only the contract's documentation can tell.
    `search_by`: siren, siret, vat, lei, duns, name, internal, company_number."""

    fields: Mapping[str, Supply]
    search_by: tuple[str, ...]
    countries: tuple[str, ...] | None
    auth: Literal["none", "body_hash", "basic", "bearer", "token_json", "oauth_cc", "api_key", "query_token"]
    rate: Rate
    portfolio: Portfolio = field(default_factory=Portfolio)
    events: Events = field(default_factory=Events)
    token_seconds: int | None = None
    search_billed: bool = False
    fetch_billed: bool = False
    history: bool = False
    notices: bool = False
    """Supplies published legal notices, each with its date and source."""
    portal_link: bool = False

    def supplies(self, name: str) -> bool:
        """Whether a field comes from this provider at all."""
        return self.fields.get(name) == "yes"

    def as_json(self) -> dict[str, Any]:
        """For the catalogue: every canonical field with yes, no or unknown."""
        shown = asdict(self)
        shown["fields"] = {name: self.fields.get(name, "no") for name in FIELDS}
        return shown


def supplied(*names: str, unknown: tuple[str, ...] = ()) -> dict[str, Supply]:
    """A matrix row: the named fields yes, `unknown` unknown, all others no. Raises KeyError for a field nobody knows."""
    matrix: dict[str, Supply] = dict.fromkeys(FIELDS, "no")
    for name in (*names, *unknown):
        if name not in FIELDS:
            raise KeyError(name)
        matrix[name] = "unknown" if name in unknown else "yes"
    return matrix
