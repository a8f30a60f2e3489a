"""The port: what risk asks of any provider of company data, whichever wire it speaks.

An `Adapter` is a kind of provider (stateless, one a module, all in `registry.ADAPTERS`); `Adapter.connect` gives a
`Provider`, which speaks for one connection of a tenant: it holds the session token and is used by one process for as long as
a run lasts. Fetching and understanding are two steps: `Provider.fetch` brings raw answers (kept, secrets taken out),
`Adapter.map` makes a snapshot of them without asking anybody, so that a newer mapping can be run over old answers.

Every method of `Provider` raises ProviderError (errors.py) and nothing else. None retries a call that changes or costs
something; the only repeated call is a new log-in when a token has run out. Rate limits, backoff, circuit breaker and budget are
the caller's.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from services.risk.domain.legal.notices import LegalNotice
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.facts import (
    Candidate,
    CanonicalValue,
    CompanyRef,
    EventPage,
    HistoricValue,
    Member,
    Outcome,
    ProviderEvent,
    RawAnswer,
    Scale,
    Snapshot,
)

__all__ = [
    "Adapter",
    "Answer",
    "Candidate",
    "CanonicalValue",
    "CompanyRef",
    "Connection",
    "CredentialField",
    "EventPage",
    "Flaw",
    "HistoricValue",
    "LegalNotice",
    "Member",
    "Outcome",
    "Product",
    "Provider",
    "ProviderEvent",
    "RawAnswer",
    "Scale",
    "Snapshot",
    "Transport",
]


@dataclass(frozen=True, slots=True)
class CredentialField:
    """What a tenant must type in to connect. `secret`: never shown again."""

    name: str
    title: str
    secret: bool = True
    required: bool = True


@dataclass(frozen=True, slots=True)
class Product:
    """One offer of a provider; a connection names one."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Connection:
    """A tenant's connection, decrypted. `base_url` None: the adapter's own. `options`: see the adapter's options schema.

    `stand_in`: the sandbox answers in the provider's place.
    """

    id: UUID
    product: str
    base_url: str | None = None
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    stand_in: bool = False


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a connection's settings. `pointer`: a JSON pointer into the connection as the API takes it."""

    pointer: str
    code: str
    detail: str


class Answer(Protocol):
    """What a transport brings back; header names in lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Transport(Protocol):
    """The guarded client for calls to the outside (`libs.kit.outbound.Outbound`), opened for this connection's hosts
    (`Adapter.hosts`). Raises its `OutboundError`s."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        basic: tuple[str, str] | None = None,
        total_seconds: float | None = None,
        max_bytes: int | None = None,
    ) -> Answer: ...


class Provider(Protocol):
    """One connection, speaking."""

    async def test(self) -> None:
        """Ask something harmless and free; returns when credentials, address and format are right."""

    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        """Companies that may be meant, exact ones first. Empty: the provider knows none."""

    async def add(self, company: CompanyRef) -> Outcome:
        """Put a company under watch. Being there already is a success."""

    async def remove(self, company: CompanyRef) -> Outcome:
        """Take it from the watch. Not being there is a success."""

    def members(self) -> AsyncIterator[Member]:
        """Everything under watch."""

    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        """Read what the product says of a company. A part that failed is among the answers, with its `failure`; when no
        part could be had, the first error is raised."""

    async def events(self, since: str | None, cursor: str | None = None) -> EventPage:
        """Changes since the mark an earlier sync left (None: as far back as the provider tells)."""

    async def acknowledge(self, events: Sequence[ProviderEvent]) -> None:
        """Mark events read at the provider. Call it after what they led to is committed; twice does no harm."""


class Adapter(Protocol):
    """A kind of provider."""

    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def products(self) -> tuple[Product, ...]: ...
    @property
    def credentials(self) -> tuple[CredentialField, ...]: ...
    @property
    def mapping_version(self) -> int: ...
    @property
    def default_base_url(self) -> str | None: ...
    @property
    def unknown(self) -> tuple[str, ...]:
        """What its public documentation does not tell, in sentences."""

    def options_schema(self) -> dict[str, Any]:
        """JSON Schema of `Connection.options`."""

    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        """The matrix, given a connection's options (a field map can make an unknown field known)."""

    def flaws(self, connection: Connection) -> list[Flaw]:
        """What is wrong with a connection's settings; empty when it can be used. Asks nobody."""

    def hosts(self, connection: Connection) -> frozenset[str]:
        """The host names this connection may call, and no others."""

    def connect(self, connection: Connection, transport: Transport) -> Provider:
        """Speak for a connection."""

    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Understand raw answers. Raises GarbageAnswer, CompanyNotFound, Rejected… when they say nothing usable."""
