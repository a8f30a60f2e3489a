"""What all adapters have in common: settings looked at, hosts named, calls that a provider does not have."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from services.risk.providers.capabilities import Capabilities
from services.risk.providers.errors import (
    AuthRefused,
    CompanyNotFound,
    NotSupported,
    ProviderError,
    RateLimited,
)
from services.risk.providers.facts import (
    Candidate,
    CompanyRef,
    EventPage,
    Member,
    Outcome,
    ProviderEvent,
    RawAnswer,
    Snapshot,
)
from services.risk.providers.port import Connection, CredentialField, Flaw, Product, Provider, Transport
from services.risk.providers.wire import Wire, failed, host_of


class Options(BaseModel):
    """Options of a connection: nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid")


class AdapterBase(ABC):
    """A kind of provider. Subclasses state the facts and say how to connect and how to map."""

    key: str
    title: str
    products: tuple[Product, ...] = (Product("standard", "Standard"),)
    credentials: tuple[CredentialField, ...] = ()
    mapping_version: int = 1
    default_base_url: str | None = None
    unknown: tuple[str, ...] = ()
    options_model: type[Options] = Options

    def options_schema(self) -> dict[str, Any]:
        """JSON Schema of a connection's options."""
        return self.options_model.model_json_schema()

    @abstractmethod
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        """The matrix of this adapter."""

    def flaws(self, connection: Connection) -> list[Flaw]:
        """Missing or unknown credentials, an address that will not do, options that are not understood."""
        return [
            *self._address_flaws(connection),
            *self._credential_flaws(connection),
            *self._option_flaws(connection),
        ]

    def hosts(self, connection: Connection) -> frozenset[str]:
        """The host of the base URL."""
        return frozenset((host_of(connection.base_url or self.default_base_url or ""),)) - {""}

    @abstractmethod
    def connect(self, connection: Connection, transport: Transport) -> Provider:
        """Speak for a connection."""

    @abstractmethod
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Understand raw answers."""

    def wire(self, connection: Connection, transport: Transport) -> Wire:
        """The calls of a connection, which keep none of its secrets."""
        secrets = [connection.credentials.get(field.name, "") for field in self.credentials if field.secret]
        return Wire(connection, self.default_base_url or "", transport, secrets)

    def options(self, connection: Connection) -> Any:
        """The options, read. Raises pydantic's ValidationError: `flaws` tells the same politely."""
        return self.options_model.model_validate(dict(connection.options))

    def _address_flaws(self, connection: Connection) -> list[Flaw]:
        url = connection.base_url or self.default_base_url
        if not url:
            return [Flaw("/base_url", "missing", "This provider's address differs by contract: name it.")]
        if not connection.stand_in and not url.startswith("https://"):
            return [Flaw("/base_url", "not_https", "Credentials are sent over https only.")]
        if not host_of(url) or "@" in url or "?" in url or "#" in url:
            return [Flaw("/base_url", "not_a_base_url", "Expected https://host[:port][/path], nothing more.")]
        return []

    def _credential_flaws(self, connection: Connection) -> list[Flaw]:
        names = {field.name for field in self.credentials}
        unknown = [
            Flaw(
                f"/credentials/{name}",
                "unknown_field",
                f"Expected one of: {', '.join(sorted(names)) or 'none'}.",
            )
            for name in sorted(set(connection.credentials) - names)
        ]
        missing = [
            Flaw(f"/credentials/{field.name}", "missing", f"{field.title} is needed to connect.")
            for field in self.credentials
            if field.required and not connection.credentials.get(field.name) and not connection.stand_in
        ]
        return unknown + missing

    def _option_flaws(self, connection: Connection) -> list[Flaw]:
        try:
            self.options(connection)
        except ValidationError as error:
            return [
                Flaw(
                    "/options" + "".join(f"/{step}" for step in found["loc"]),
                    str(found["type"]),
                    str(found["msg"]).removeprefix("Value error, "),
                )
                for found in error.errors(include_input=False, include_url=False, include_context=False)
            ]
        return []


class ProviderBase:
    """One connection, speaking; every call that a provider does not have says so."""

    async def test(self) -> None:
        raise NotSupported("this provider has no harmless call to test with")

    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        raise NotSupported("this provider cannot be searched")

    async def add(self, company: CompanyRef) -> Outcome:
        raise NotSupported("this provider has no portfolio")

    async def remove(self, company: CompanyRef) -> Outcome:
        raise NotSupported("this provider has no portfolio")

    async def members(self) -> AsyncIterator[Member]:
        raise NotSupported("this provider's portfolio cannot be listed")
        yield  # an async generator, like those that do list

    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        raise NotSupported("this provider cannot be read")

    async def events(self, since: str | None, cursor: str | None = None) -> EventPage:
        raise NotSupported("this provider tells of no changes")

    async def acknowledge(self, events: Sequence[ProviderEvent]) -> None:
        """Nothing to mark."""


async def read_parts(*parts: tuple[str, Callable[[], Awaitable[RawAnswer]]]) -> tuple[RawAnswer, ...]:
    """Read the parts of a fetch one after the other. One that fails is noted and the others are read; wrong credentials and
    a rate limit end it at once; when no part could be had the first error is raised."""
    answers: list[RawAnswer] = []
    errors: list[ProviderError] = []
    for name, read in parts:
        try:
            answers.append(await read())
        except (AuthRefused, RateLimited):
            raise
        except ProviderError as error:
            if isinstance(error, CompanyNotFound) and not answers:
                raise  # the first part is the one that knows whether there is such a company
            errors.append(error)
            answers.append(failed(name, "", error))
    if len(errors) == len(parts):
        raise errors[0]
    return tuple(answers)


def part(answers: Sequence[RawAnswer], name: str) -> RawAnswer | None:
    """The answer of a part, None if it failed or was not asked for."""
    return next((answer for answer in answers if answer.part == name and answer.failure is None), None)


def missed(answers: Sequence[RawAnswer], name: str) -> bool:
    """Whether a part was asked for and could not be had."""
    return any(answer.part == name and answer.failure is not None for answer in answers)
