"""Creditsafe Connect: search, report, monitoring. Companies are paged from 1, monitoring from 0."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from pydantic import Field, field_validator
from typing_extensions import override

from services.risk.providers.base import AdapterBase, Options, ProviderBase
from services.risk.providers.capabilities import Capabilities, Events, Portfolio, Rate, supplied
from services.risk.providers.creditsafe import mapper
from services.risk.providers.errors import AuthRefused, CompanyNotFound, GarbageAnswer, NotSupported, Rejected
from services.risk.providers.facts import (
    Candidate,
    CompanyRef,
    EventKind,
    EventPage,
    Member,
    Outcome,
    ProviderEvent,
    RawAnswer,
    Snapshot,
)
from services.risk.providers.field_map import FieldMap, check_map
from services.risk.providers.port import Answer, Connection, CredentialField, Product, Transport
from services.risk.providers.reading import at, dated, integer, json_object, listed, text
from services.risk.providers.session import Session
from services.risk.providers.wire import Wire, check

_TOKEN_SECONDS = 3600.0
_PAGE = 100
_KINDS: dict[int, EventKind] = {101: "score", 102: "limit", 105: "address", 107: "legal", 1802: "state"}


class CreditsafeOptions(Options):
    """Settings of a Creditsafe connection."""

    portfolio_id: str | None = Field(None, pattern=r"^\w{1,40}$", description="monitoring portfolio to steer")
    score_better: Literal["high", "low"] = Field(
        "high", description="good end of providerValue in the country read"
    )
    pod_unit: Literal["share", "percent"] = Field(
        "share", description="how probabilities of default are written"
    )
    custom_data: dict[str, str] = Field({}, description="what a country demands, e.g. Germany's reason code")
    billed: bool = Field(True, description="whether each report is charged under the contract")
    field_map: FieldMap = Field({}, description="country-specific fields by pointer into `report`")

    @field_validator("field_map")
    @classmethod
    def _fits(cls, value: FieldMap) -> FieldMap:
        return check_map(value)


class Creditsafe(AdapterBase):
    """Creditsafe Connect: international score A–E, credit limit, monitoring with events."""

    key = "creditsafe"
    title = "Creditsafe Connect"
    products = (Product("connect", "Connect"),)
    credentials = (
        CredentialField("username", "User name", secret=False),
        CredentialField("password", "Password"),
    )
    mapping_version = 1
    default_base_url = "https://connect.creditsafe.com/v1"
    options_model = CreditsafeOptions
    unknown = (
        "Rate limits are not written down.",
        "Whether `pod` is a share or a percentage (options.pod_unit), and the good end of each country's own value.",
        "Negative information has another shape in each country: name what you need in options.field_map.",
    )

    @override
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        settings = CreditsafeOptions.model_validate(dict(options))
        return Capabilities(
            fields=supplied(
                "name", "score", "risk_class", "recommended_credit", "pd_12m", "activity", "turnover", "company_active",
                *settings.field_map,
                unknown=tuple({"legal_status", "privileges_count", "privileges_amount"} - set(settings.field_map)),
            ),
            search_by=("siren", "vat", "name", "internal", "company_number"),
            countries=None,
            auth="token_json",
            token_seconds=3600,
            rate=Rate(10, 1, "configured"),
            portfolio=Portfolio(add=True, remove=True, list=True),
            events=Events(mode="pull", cursor="date", ack=True),
            fetch_billed=settings.billed,
        )  # fmt: skip

    @override
    def connect(self, connection: Connection, transport: Transport) -> "CreditsafeProvider":
        settings: CreditsafeOptions = self.options(connection)
        return CreditsafeProvider(self.wire(connection, transport), connection, settings)

    @override
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Raises GarbageAnswer without a report."""
        if not answers:
            raise GarbageAnswer("no answer to map")
        settings: CreditsafeOptions = self.options(connection)
        return mapper.map_report(
            json_object(answers[0].body), product=connection.product, version=self.mapping_version,
            capabilities=self.capabilities(connection.options), better=settings.score_better, pod_unit=settings.pod_unit,
            field_map=settings.field_map,
        )  # fmt: skip


class CreditsafeProvider(ProviderBase):
    """See the port."""

    def __init__(self, wire: Wire, connection: Connection, settings: CreditsafeOptions) -> None:
        self._wire = wire
        self._credentials = connection.credentials
        self._settings = settings
        self._portfolio = settings.portfolio_id or ("1" if connection.stand_in else None)
        self._session = Session(self._log_in)

    @override
    async def test(self) -> None:
        await self._call(
            "GET", "companies", params={"countries": "FR", "regNo": "000000000", "page": "1", "pageSize": "1"}
        )

    @override
    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        number = re.sub(r"\s", "", company.registration_number)
        query = (
            {"regNo": number}
            if number
            else {"vatNo": company.vat_number}
            if company.vat_number
            else {"name": company.name or ""}
        )
        answer = await self._call(
            "GET", "companies", params={"countries": company.country, **query, "page": "1", "pageSize": "20"}
        )
        found = []
        for row in listed(json_object(answer.body).get("companies")):
            reference = text(at(row, "id"))
            if reference:
                registered = text(at(row, "regNo"))
                found.append(Candidate(
                    reference, text(at(row, "name")) or reference, registered, text(at(row, "country")),
                    address=text(at(row, "address", "simpleValue")), postal_code=text(at(row, "address", "postCode")),
                    city=text(at(row, "address", "city")), exact=bool(number) and registered == number,
                    active={"Active": True, "NonActive": False}.get(text(at(row, "status")) or ""),
                ))  # fmt: skip
        return sorted(found, key=lambda one: not one.exact)

    @override
    async def add(self, company: CompanyRef) -> Outcome:
        """409 is already there: by its status, for the message cannot be trusted to keep its two blanks."""
        reference = await self._reference(company)
        body = msgspec.json.encode({"id": reference, "personalReference": company.registration_number})
        answer = await self._call(
            "POST", f"{self._watched()}/companies", content=body, known=(200, 201, 409), changes=True
        )
        return Outcome(reference, already=answer.status == 409)

    @override
    async def remove(self, company: CompanyRef) -> Outcome:
        reference = await self._reference(company)
        path = f"{self._watched()}/companies/{reference}"
        answer = await self._call("DELETE", path, known=(200, 204, 404), changes=True)
        return Outcome(reference, already=answer.status == 404)

    @override
    async def members(self) -> AsyncIterator[Member]:
        page: int | None = 0
        while page is not None:
            params = {"page": str(page), "pageSize": str(_PAGE)}
            document = json_object(
                (await self._call("GET", f"{self._watched()}/companies", params=params)).body
            )
            for row in listed(document.get("data") or document.get("companies")):
                yield Member(text(at(row, "id")), text(at(row, "regNo")))
            page = _next_page(document, page)

    @override
    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        path = f"companies/{await self._reference(company)}"
        params = {"language": "en", "includeIndicators": "true"}
        params |= {f"customData[{name}]": value for name, value in self._settings.custom_data.items()}
        billed = self._settings.billed
        answer = await self._call("GET", path, params=params, changes=billed)
        return (self._wire.keep("report", "GET", path, answer, params=params, billed=billed),)

    @override
    async def events(self, since: str | None, cursor: str | None = None) -> EventPage:
        page = int(cursor or 0)
        params = {"page": str(page), "pageSize": str(_PAGE), "sortBy": "eventDate", "sortDir": "asc"}
        params |= {"startDate": since} if since else {}
        answer = await self._call("GET", f"{self._watched()}/notificationEvents", params=params)
        document = json_object(answer.body)
        rows = [row for row in listed(document.get("data")) if isinstance(row, dict)]
        events = tuple(event for row in rows if (event := _event(row)) is not None)
        latest = max((event.occurred_on.isoformat() for event in events if event.occurred_on), default=since)
        following = _next_page(document, page)
        return EventPage(events, None if following is None else str(following), latest)

    @override
    async def acknowledge(self, events: Sequence[ProviderEvent]) -> None:
        for event in events:
            if event.ack:
                body = msgspec.json.encode({"isProcessed": True})
                await self._call(
                    "PATCH", f"monitoring/notificationEvents/{event.ack}", content=body, known=(200, 204, 404)
                )

    async def _reference(self, company: CompanyRef) -> str:
        """Creditsafe's own id: the one matched before, else the exact hit of a search."""
        if company.provider_reference:
            return company.provider_reference
        exact = [one for one in await self.search(company) if one.exact]
        if len(exact) != 1:
            if exact:
                raise Rejected(f"{len(exact)} companies bear this number: match it by hand")
            raise CompanyNotFound("Creditsafe knows no company of this number")
        return exact[0].provider_reference

    def _watched(self) -> str:
        if self._portfolio is None:
            raise NotSupported("no monitoring portfolio is named (options.portfolio_id)")
        return f"monitoring/portfolios/{self._portfolio}"

    async def _log_in(self) -> tuple[str, float]:
        body = msgspec.json.encode(
            {
                "username": self._credentials.get("username", ""),
                "password": self._credentials.get("password", ""),
            }
        )
        answer = await self._wire.ask(
            "POST", "authenticate", content=body, headers={"content-type": "application/json"}
        )
        if answer.status in (400, 403):
            raise AuthRefused("Creditsafe refuses these credentials")
        check(answer)
        token = text(json_object(answer.body).get("token"))
        if token is None:
            raise GarbageAnswer("a log-in without a token")
        self._wire.hide(token)
        return token, _TOKEN_SECONDS

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        known: Sequence[int] = (200,),
        changes: bool = False,
    ) -> Answer:
        async def send(token: str) -> Answer:
            headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
            if content is not None:
                headers["content-type"] = "application/json"
            return await self._wire.ask(
                method, path, headers=headers, params=params, content=content, changes=changes
            )

        answer = await self._session.send(send)
        check(answer, known=known)
        return answer


def _event(row: Mapping[str, Any]) -> ProviderEvent | None:
    """Told apart by eventId, which is the same in all portfolios; acknowledged by the one of this portfolio."""
    event_id, own = text(row.get("eventId")), text(row.get("notificationEventId"))
    if event_id is None or row.get("isProcessed") is True:
        return None
    code, reference = integer(row.get("ruleCode")), text(at(row, "company", "id"))
    return ProviderEvent(
        id=event_id, kind=_KINDS.get(code or 0, "other"), code=text(row.get("ruleCode")), registration_number=None,
        provider_reference=reference, occurred_on=dated(row.get("eventDate")), old=text(row.get("oldValue")),
        new=text(row.get("newValue")), ack=own,
    )  # fmt: skip


def _next_page(document: Mapping[str, Any], page: int) -> int | None:
    """Monitoring counts pages from 0 and says -1 for the last page of nothing."""
    last = integer(at(document, "paging", "last"))
    return page + 1 if last is not None and page < last else None
