"""Ellisphere: search, order of a report (billed), start of monitoring, list of what is monitored."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree
from pydantic import Field
from typing_extensions import override

from libs.kit import clock
from services.risk.providers.base import AdapterBase, Options, ProviderBase
from services.risk.providers.capabilities import Capabilities, Portfolio, Rate, supplied
from services.risk.providers.ellisphere import mapper, payloads
from services.risk.providers.errors import CompanyNotFound, GarbageAnswer, Rejected
from services.risk.providers.facts import Candidate, CompanyRef, Member, Outcome, RawAnswer, Snapshot
from services.risk.providers.port import Answer, Connection, CredentialField, Product, Transport
from services.risk.providers.reading import first, xml_of
from services.risk.providers.wire import Wire


class EllisphereOptions(Options):
    """Settings of an Ellisphere connection."""

    product_range: str = Field("50001", pattern=r"^\d{1,8}$", description="the product ordered")
    product_version: str = Field("1", pattern=r"^\d{1,3}$")


class Ellisphere(AdapterBase):
    """Ellisphere: score 0–10, recommended credit, privileges counted by creditor."""

    key = "ellisphere"
    title = "Ellisphere"
    products = (Product("risk_report", "Risk report 50001"),)
    credentials = (
        CredentialField("contract_id", "Contract number", secret=False),
        CredentialField("user_prefix", "User prefix", secret=False, required=False),
        CredentialField("user_id", "User", secret=False),
        CredentialField("password", "Password"),
    )
    mapping_version = 1
    default_base_url = "https://services.data-access-gateway.com/1/rest"
    options_model = EllisphereOptions
    unknown = (
        "The full list of products, limits on calls, the codes of events: events are understood by their words.",
        "How monitoring is ended: remove the company at Ellisphere.",
        "Monitoring tells of no changes that can be pulled: members are read again on schedule, and each order is billed.",
    )

    @override
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        return Capabilities(
            fields=supplied(
                "name", "score", "sector_score", "risk_class", "recommended_credit", "recommended_credit_ceiling",
                "privileges_count", "privileges_social_count", "privileges_tax_count", "privileges_present", "legal_status",
                "activity", "headcount", "created_on", "company_active",
                unknown=("turnover",),
            ),
            search_by=("siren", "siret", "name", "internal"),
            countries=("FR",),
            auth="body_hash",
            rate=Rate(2, 1, "configured"),
            portfolio=Portfolio(add=True, list=True),
            fetch_billed=True,
            history=True,
        )  # fmt: skip

    @override
    def connect(self, connection: Connection, transport: Transport) -> "EllisphereProvider":
        settings: EllisphereOptions = self.options(connection)
        return EllisphereProvider(self.wire(connection, transport), dict(connection.credentials), settings)

    @override
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Raises GarbageAnswer without a report."""
        if not answers:
            raise GarbageAnswer("no answer to map")
        response = first(xml_of(answers[0].body), "response")
        if response is None:
            raise GarbageAnswer("an answer without a response")
        return mapper.map_report(
            response, product=connection.product, version=self.mapping_version,
            capabilities=self.capabilities(connection.options),
        )  # fmt: skip


class EllisphereProvider(ProviderBase):
    """See the port."""

    def __init__(self, wire: Wire, client: dict[str, str], settings: EllisphereOptions) -> None:
        self._wire = wire
        self._client = client
        self._settings = settings

    @override
    async def test(self) -> None:
        """A list of one company that is not monitored."""
        await self._list("000000000")

    @override
    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        siren = re.sub(r"\D", "", company.registration_number)
        if siren:
            service, inside = "svcSearchById", payloads.identifier("register", siren[:9])
        else:
            service, inside = "svcSearchByName", f"<name>{escape(company.name or '')}</name>"
        try:
            response = await self._ask(service, "WSOM", inside)
        except CompanyNotFound:
            return []
        found = [
            Candidate(
                reference,
                name,
                number,
                "FR",
                address=address,
                postal_code=postcode,
                city=town,
                exact=number == siren[:9],
            )
            for reference, number, name, address, postcode, town in mapper.candidates(response)
        ]
        return sorted(found, key=lambda one: not one.exact)

    @override
    async def add(self, company: CompanyRef) -> Outcome:
        """Already monitored is HTTP 401 with minor code 3201, and a success."""
        product = (
            f'<product range="{self._settings.product_range}" version="{self._settings.product_version}"/>'
        )
        inside = payloads.identifier("register", _siren(company), "SIREN") + product
        answer, _ = await self._send("svcStartMonitoring", "WSRISK", inside, changes=True)
        response = payloads.response(answer, already=payloads.ALREADY_MONITORED)
        return Outcome(_siren(company), already=response is None, billed=response is not None)

    @override
    async def members(self) -> AsyncIterator[Member]:
        for siren in await self._list(None):
            yield Member(None, siren)

    @override
    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        """An order by Ellisphere's own id. It is billed: a lost answer is Uncertain and nobody orders twice by itself."""
        reference = company.provider_reference or await self._reference(company)
        product = (
            f'<product range="{self._settings.product_range}" version="{self._settings.product_version}"/>'
        )
        inside = (
            payloads.identifier("src", reference)
            + product
            + "<deliveryOptions><outputMethod>raw</outputMethod></deliveryOptions>"
        )
        answer, content = await self._send("svcOnlineOrder", "WSRISK", inside, changes=True)
        payloads.response(answer)
        return (self._wire.keep("report", "POST", "svcOnlineOrder", answer, content=content, billed=True),)

    async def _list(self, siren: str | None) -> Sequence[str]:
        criteria = payloads.identifier("register", siren) if siren else ""
        return mapper.members(
            await self._ask(
                "svcConsultList", "WSOM", f'<listCriteria type="monitoring">{criteria}</listCriteria>'
            )
        )

    async def _reference(self, company: CompanyRef) -> str:
        exact = [one for one in await self.search(company) if one.exact]
        if not exact:
            raise CompanyNotFound("Ellisphere knows no company of this number")
        return exact[0].provider_reference

    async def _ask(self, service: str, application: str, inside: str) -> etree._Element:
        answer, _ = await self._send(service, application, inside)
        response = payloads.response(answer)
        assert response is not None, "only an expected code gives no response"
        return response

    async def _send(
        self, service: str, application: str, inside: str, *, changes: bool = False
    ) -> tuple[Answer, bytes]:
        content = payloads.request(service, self._client, application, inside, clock.wall())
        headers = {"content-type": "application/xml; charset=utf-8"}
        return await self._wire.ask(
            "POST", service, headers=headers, content=content, changes=changes
        ), content


def _siren(company: CompanyRef) -> str:
    digits = re.sub(r"\D", "", company.registration_number)
    if len(digits) not in (9, 14):
        raise Rejected("Ellisphere is asked by SIREN: nine digits")
    return digits[:9]
