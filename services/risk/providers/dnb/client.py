"""D&B Direct+: match, data blocks, monitoring registration, notifications pulled."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from pydantic import Field
from typing_extensions import override

from services.risk.providers.base import AdapterBase, Options, ProviderBase
from services.risk.providers.capabilities import Capabilities, Events, Portfolio, Rate, supplied
from services.risk.providers.dnb import mapper
from services.risk.providers.errors import CompanyNotFound, GarbageAnswer, NotSupported, Rejected
from services.risk.providers.facts import (
    Candidate,
    CompanyRef,
    EventKind,
    EventPage,
    Outcome,
    ProviderEvent,
    RawAnswer,
    Snapshot,
)
from services.risk.providers.port import Answer, Connection, CredentialField, Product, Transport
from services.risk.providers.reading import at, dated, json_object, listed, number, text
from services.risk.providers.session import Session
from services.risk.providers.wire import Wire, check

ALREADY, ADDED = "21012", "21113"
_BLOCKS = "companyinfo_L2_v1,financialstrengthinsight_L2_v1,paymentinsight_L1_v1,eventfilings_L1_v1"
_KINDS: tuple[tuple[str, EventKind], ...] = (
    ("dnbAssessment", "score"), ("legalEvents", "legal"), ("primaryName", "identity"), ("primaryAddress", "address"),
    ("financials", "accounts"), ("primaryIndustryCode", "activity"), ("operatingStatus", "state"),
)  # fmt: skip


class DnbOptions(Options):
    """Settings of a D&B connection."""

    registration: str | None = Field(
        None, pattern=r"^[\w-]{1,60}$", description="reference of a monitoring registration"
    )
    block_ids: str = Field(
        _BLOCKS, pattern=r"^[A-Za-z0-9_,]+$", max_length=400, description="data blocks of the contract"
    )
    order_reason: str | None = Field(None, pattern=r"^\d{4}$", description="needed for Germany: 6332")
    paydex_pointer: str = Field(
        "/dnbAssessment/paydexScore/value",
        pattern=r"^/",
        description="where the Paydex stands in `organization`",
    )
    billed: bool = Field(True, description="whether each reading is charged under the contract")


class Dnb(AdapterBase):
    """D&B Direct+: failure and delinquency scores, rating, Paydex, recommended limit."""

    key = "dnb"
    title = "Dun & Bradstreet Direct+"
    products = (Product("data_blocks", "Data blocks"),)
    credentials = (
        CredentialField("key", "Consumer key", secret=False),
        CredentialField("secret", "Consumer secret"),
    )
    mapping_version = 1
    default_base_url = "https://plus.dnb.com"
    options_model = DnbOptions
    unknown = (
        "Where the Paydex stands differs by data block: say it in options.paydex_pointer.",
        "Current rate limits; an old connector kept to 100 calls a minute, and so do we.",
        "Notifications that were pulled are not sent again: keep them before anything else is done.",
    )

    @override
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        settings = DnbOptions.model_validate(dict(options))
        return Capabilities(
            fields=supplied(
                "name", "score", "risk_class", "delinquency_score", "grade", "recommended_credit", "paydex",
                "payment_delay_days", "legal_status", "privileges_present", "activity",
                unknown=("turnover", "headcount"),
            ),
            search_by=("duns", "siren", "company_number", "name"),
            countries=None,
            auth="oauth_cc",
            token_seconds=86_400,
            rate=Rate(100, 60, "configured"),
            portfolio=Portfolio(add=True, remove=True),
            events=Events(mode="pull", cursor="unread"),
            fetch_billed=settings.billed,
            search_billed=False,
        )  # fmt: skip

    @override
    def connect(self, connection: Connection, transport: Transport) -> "DnbProvider":
        settings: DnbOptions = self.options(connection)
        return DnbProvider(self.wire(connection, transport), connection, settings)

    @override
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Raises GarbageAnswer without an organization."""
        if not answers:
            raise GarbageAnswer("no answer to map")
        settings: DnbOptions = self.options(connection)
        return mapper.map_organization(
            json_object(answers[0].body), product=connection.product, version=self.mapping_version,
            capabilities=self.capabilities(connection.options), paydex_pointer=settings.paydex_pointer,
        )  # fmt: skip


class DnbProvider(ProviderBase):
    """See the port."""

    def __init__(self, wire: Wire, connection: Connection, settings: DnbOptions) -> None:
        self._wire = wire
        self._basic = (connection.credentials.get("key", ""), connection.credentials.get("secret", ""))
        self._settings = settings
        self._registration = settings.registration or ("encours" if connection.stand_in else None)
        self._session = Session(self._log_in)

    @override
    async def test(self) -> None:
        """A log-in and a match that costs nothing."""
        await self._call(
            "GET",
            "v1/match/cleanseMatch",
            params={"countryISOAlpha2Code": "FR", "name": "test"},
            known=(200, 404),
        )

    @override
    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        wanted = re.sub(r"[\s-]", "", company.registration_number)
        params = {"countryISOAlpha2Code": company.country}
        params |= {"registrationNumber": wanted} if wanted else {"name": company.name or ""}
        answer = await self._call("GET", "v1/match/cleanseMatch", params=params, known=(200, 404))
        if answer.status == 404:
            return []
        found = [_candidate(row, wanted) for row in listed(json_object(answer.body).get("matchCandidates"))]
        return sorted((one for one in found if one is not None), key=lambda one: not one.exact)

    @override
    async def add(self, company: CompanyRef) -> Outcome:
        duns = await self._duns(company)
        answer = await self._call(
            "POST", f"{self._watched()}/duns/{duns}", known=(200, 201, 202, 400, 409), changes=True
        )
        code = _code(answer)
        if code not in (ADDED, ALREADY) and answer.status >= 400:
            raise Rejected("D&B did not add the company", code=code)
        return Outcome(duns, already=code == ALREADY)

    @override
    async def remove(self, company: CompanyRef) -> Outcome:
        duns = await self._duns(company)
        answer = await self._call(
            "DELETE", f"{self._watched()}/duns/{duns}", known=(200, 202, 204, 404), changes=True
        )
        return Outcome(duns, already=answer.status == 404)

    @override
    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        path = f"v1/data/duns/{await self._duns(company)}"
        params = {"blockIDs": self._settings.block_ids}
        params |= {"orderReason": self._settings.order_reason} if self._settings.order_reason else {}
        billed = self._settings.billed
        answer = await self._call("GET", path, params=params, changes=billed)
        return (self._wire.keep("organization", "GET", path, answer, params=params, billed=billed),)

    @override
    async def events(self, since: str | None, cursor: str | None = None) -> EventPage:
        """What was not pulled yet. Pulling it is taking it: keep the page before asking for the next."""
        params = {"maxNotifications": "100"}
        answer = await self._call("GET", f"{self._watched()}/notifications", params=params, changes=True)
        rows = listed(json_object(answer.body).get("notifications"))
        events = tuple(event for row in rows for event in _events(row))
        return EventPage(events, "more" if len(rows) >= 100 else None, since)

    async def _duns(self, company: CompanyRef) -> str:
        reference = re.sub(r"\D", "", company.provider_reference or "")
        if reference:
            return reference
        exact = [one for one in await self.search(company) if one.exact]
        if not exact:
            raise CompanyNotFound("D&B knows no company of this number")
        if len(exact) > 1:
            raise Rejected(f"{len(exact)} companies bear this number: match it by hand")
        return exact[0].provider_reference

    def _watched(self) -> str:
        if self._registration is None:
            raise NotSupported("no monitoring registration is named (options.registration)")
        return f"v1/monitoring/registrations/{self._registration}"

    async def _log_in(self) -> tuple[str, float]:
        answer = await self._wire.ask(
            "POST", "v3/token", basic=self._basic, content=b'{"grant_type":"client_credentials"}',
            headers={"content-type": "application/json"},
        )  # fmt: skip
        check(answer)
        document = json_object(answer.body)
        token = text(document.get("access_token"))
        if token is None:
            raise GarbageAnswer("a log-in without a token")
        self._wire.hide(token)
        return token, float(number(document.get("expiresIn")) or 3600)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        known: Sequence[int] = (200,),
        changes: bool = False,
    ) -> Answer:
        async def send(token: str) -> Answer:
            headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
            return await self._wire.ask(method, path, headers=headers, params=params, changes=changes)

        answer = await self._session.send(send)
        check(answer, known=known)
        return answer


def _candidate(row: Any, wanted: str) -> Candidate | None:
    organization = at(row, "organization")
    duns = text(at(organization, "duns"))
    if duns is None or not isinstance(organization, dict):
        return None
    numbers = mapper.registration_numbers(organization)
    confidence = number(at(row, "matchQualityInformation", "confidenceCode"))
    return Candidate(
        duns, text(organization.get("primaryName")) or duns, numbers[0] if numbers else None,
        text(at(organization, "primaryAddress", "addressCountry", "isoAlpha2Code")),
        city=text(at(organization, "primaryAddress", "addressLocality", "name")), exact=bool(wanted) and wanted in numbers,
        score=None if confidence is None else confidence / 10,
    )  # fmt: skip


def _events(row: Any) -> list[ProviderEvent]:
    duns, day = text(at(row, "organization", "duns")), dated(at(row, "deliveryTimeStamp"))
    found = []
    for one in listed(at(row, "elements")):
        element = text(at(one, "element")) or ""
        kind: EventKind = next((kind for mark, kind in _KINDS if mark in element), "other")
        found.append(ProviderEvent(
            id=f"{duns}:{element}:{text(at(row, 'deliveryTimeStamp'))}:{text(at(one, 'id')) or text(at(one, 'current'))}",
            kind=kind, code=text(at(row, "type")), registration_number=None, provider_reference=duns, occurred_on=day,
            old=text(at(one, "previous")), new=text(at(one, "current")),
        ))  # fmt: skip
    return found


def _code(answer: Answer) -> str | None:
    try:
        document = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        return None
    return text(at(document, "information", "code")) or text(at(document, "error", "errorCode"))
