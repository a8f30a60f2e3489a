"""A provider made for tests: says what a test lays out, fails when told to, and counts what it is asked."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from services.risk.providers.capabilities import Capabilities, Events, Portfolio, Rate, supplied
from services.risk.providers.errors import AuthRefused, CompanyNotFound, ProviderError
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
from services.risk.providers.fields import FIELDS
from services.risk.providers.port import Connection, CredentialField, Flaw, Product
from services.risk.providers.registry import ADAPTERS

TWENTY = Scale(Decimal(0), Decimal(20))


@dataclass
class World:
    """What one connection's provider knows, and what it was asked."""

    companies: dict[str, dict[str, Any]] = field(default_factory=dict)
    portfolio: set[str] = field(default_factory=set)
    events: list[ProviderEvent] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    failures: dict[str, list[ProviderError]] = field(default_factory=lambda: defaultdict(list))

    def fail(self, call: str, *errors: ProviderError) -> None:
        """Let the next calls fail: `fetch:732829320`, `add`, `events` …"""
        self.failures[call] += errors

    def asked(self, call: str, number: str) -> None:
        """Count a call, and fail if told to."""
        self.calls[f"{call}:{number}"] += 1
        self.calls[call] += 1
        for key in (f"{call}:{number}", call):
            if self.failures[key]:
                raise self.failures[key].pop(0)


class FakeProvider:
    """One connection, speaking."""

    def __init__(self, adapter: "FakeAdapter", connection: Connection) -> None:
        self._adapter = adapter
        self._world = adapter.worlds[connection.id]
        self._password = connection.credentials.get("password")

    async def test(self) -> None:
        self._world.asked("test", "")
        if self._password != "right":
            raise AuthRefused("The provider does not take these credentials.", code="401")

    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        self._world.asked("search", company.registration_number)
        found = []
        for number, facts in self._world.companies.items():
            exact = number == company.registration_number
            if exact or facts.get("name") == company.name:
                found.append(
                    Candidate(f"ref-{number}", facts.get("name", "?"), number, "FR", city="Lyon", exact=exact)
                )
        return sorted(found, key=lambda one: not one.exact)

    async def add(self, company: CompanyRef) -> Outcome:
        self._world.asked("add", company.registration_number)
        already = company.registration_number in self._world.portfolio
        self._world.portfolio.add(company.registration_number)
        return Outcome(company.provider_reference, already=already)

    async def remove(self, company: CompanyRef) -> Outcome:
        self._world.asked("remove", company.registration_number)
        self._world.portfolio.discard(company.registration_number)
        return Outcome(company.provider_reference)

    async def members(self) -> AsyncIterator[Member]:
        self._world.calls["members"] += 1
        for number in sorted(self._world.portfolio):
            yield Member(f"ref-{number}", number)

    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        number = company.registration_number
        self._world.asked("fetch", number)
        if number not in self._world.companies:
            raise CompanyNotFound("The provider does not know the company.", code="101")
        body = msgspec.json.encode(self._world.companies[number])
        return (
            RawAnswer("facts", f"GET https://fake.example/{number}", 200, "application/json", body,
                      datetime(2026, 3, 31, tzinfo=UTC), billed=self._adapter.billed),
        )  # fmt: skip

    async def events(self, since: str | None, cursor: str | None = None) -> EventPage:
        self._world.asked("events", "")
        fresh = [event for event in self._world.events if since is None or event.id > since]
        return EventPage(tuple(fresh), None, fresh[-1].id if fresh else since)

    async def acknowledge(self, events: Sequence[ProviderEvent]) -> None:
        self._world.asked("acknowledge", "")
        self._world.acknowledged += [event.id for event in events]


class FakeAdapter:
    """The kind of provider. `billed`: reading is charged; then syncs follow events."""

    title = "Fake"
    products = (Product("score", "Score"),)
    credentials = (CredentialField("password", "Password"),)
    default_base_url = "https://fake.example"
    unknown = ("Everything: it is made for tests.",)

    def __init__(self, key: str, *, billed: bool = False, low_is_good: bool = False) -> None:
        self.key = key
        self.billed = billed
        self.mapping_version = 1
        self.worlds: dict[UUID, World] = defaultdict(World)

    def options_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {"broken": {"type": "boolean"}},
        }

    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        return Capabilities(
            fields=supplied("score", "recommended_credit", "paydex", "legal_status", "privileges_amount", "turnover",
                            "activity", "portal_url", "name"),
            search_by=("siren", "name"), countries=("FR",), auth="basic", rate=Rate(1000, 1, "configured"),
            portfolio=Portfolio(add=True, remove=True, list=True), events=Events("pull", "date", ack=True),
            fetch_billed=self.billed, history=True, portal_link=True,
        )  # fmt: skip

    def flaws(self, connection: Connection) -> list[Flaw]:
        return (
            [Flaw("/options/broken", "broken", "expected false")] if connection.options.get("broken") else []
        )

    def hosts(self, connection: Connection) -> frozenset[str]:
        return frozenset(("fake.example",))

    def connect(self, connection: Connection, transport: Any) -> FakeProvider:
        return FakeProvider(self, connection)

    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        facts = msgspec.json.decode(answers[0].body)
        as_of = date.fromisoformat(facts.get("as_of", "2026-03-30"))
        values = {
            name: CanonicalValue(state="no_data" if self.capabilities({}).supplies(name) else "not_supplied")
            for name in FIELDS
        }
        for name, told in facts.items():
            if name in ("as_of", "history") or (name == "activity" and self.mapping_version == 1):
                continue
            values[name] = self._value(name, told, as_of)
        past = tuple(
            HistoricValue(
                "score", self._value("score", score, date.fromisoformat(day)), date.fromisoformat(day)
            )
            for day, score in facts.get("history", {}).items()
        )
        return Snapshot(
            provider=self.key, product="score", mapping_version=self.mapping_version, provider_reference=None, as_of=as_of,
            values=values, history=past,
        )  # fmt: skip

    def _value(self, name: str, told: Any, as_of: date) -> CanonicalValue:
        if told == "error":
            return CanonicalValue(state="error")
        if name == "score":
            raw = Decimal(told)
            return CanonicalValue(
                state="known",
                value=told,
                raw=told,
                scale=TWENTY,
                normalised=TWENTY.normalise(raw),
                as_of=as_of,
            )
        if FIELDS[name].kind == "money":
            return CanonicalValue(state="known", value=told, raw=told, currency="EUR")
        return CanonicalValue(state="known", value=told, raw=str(told))


@contextmanager
def connected(*adapters: FakeAdapter) -> Iterator[None]:
    """Let the house know these adapters for as long as the block lasts."""
    registry: Any = ADAPTERS
    registry.update({adapter.key: adapter for adapter in adapters})
    try:
        yield
    finally:
        for adapter in adapters:
            registry.pop(adapter.key)


def event(identifier: str, number: str, kind: Any = "score") -> ProviderEvent:
    """Something moved."""
    return ProviderEvent(
        id=identifier, kind=kind, code=None, registration_number=number, provider_reference=None, occurred_on=None,
        ack=identifier,
    )  # fmt: skip


__all__ = ["FakeAdapter", "World", "connected", "event", "replace"]
