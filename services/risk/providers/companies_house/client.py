"""Companies House's API: profile, insolvency, search. The key is the user name of Basic authentication."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from services.risk.providers.base import AdapterBase, ProviderBase, missed, part, read_parts
from services.risk.providers.capabilities import Capabilities, Rate, supplied
from services.risk.providers.companies_house import mapper
from services.risk.providers.errors import GarbageAnswer, Rejected
from services.risk.providers.facts import Candidate, CompanyRef, RawAnswer, Snapshot
from services.risk.providers.port import Connection, CredentialField, Product, Transport
from services.risk.providers.reading import json_object, listed, text
from services.risk.providers.wire import Wire, check


class CompaniesHouse(AdapterBase):
    """The British register: free, with a key of one's own."""

    key = "companies_house"
    title = "Companies House"
    products = (Product("register", "Register and insolvency"),)
    credentials = (
        CredentialField("api_key", "REST API key of developer.company-information.service.gov.uk"),
    )
    mapping_version = 1
    default_base_url = "https://api.company-information.service.gov.uk"
    unknown = (
        "The streaming API, which tells of changes, is another product with another key: not connected.",
    )

    @override
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        return Capabilities(
            fields=supplied(
                "name", "activity", "legal_form", "created_on", "company_active", "legal_status", "portal_url"
            ),
            search_by=("company_number", "name"),
            countries=("GB",),
            auth="basic",
            rate=Rate(600, 300, "documented"),
            notices=True,
            portal_link=True,
        )

    @override
    def connect(self, connection: Connection, transport: Transport) -> "CompaniesHouseProvider":
        return CompaniesHouseProvider(
            self.wire(connection, transport), connection.credentials.get("api_key", "")
        )

    @override
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Raises GarbageAnswer without a profile."""
        profile, insolvency = part(answers, "profile"), part(answers, "insolvency")
        if profile is None:
            raise GarbageAnswer("no company profile")
        cases = None
        if insolvency is not None:  # 404 is how the register says that there is none
            cases = {} if insolvency.status == 404 else json_object(insolvency.body)
        return mapper.map_company(
            json_object(profile.body), cases, product=connection.product, version=self.mapping_version,
            capabilities=self.capabilities(connection.options), read_on=profile.fetched_at.date(),
            failed=("legal_status",) if missed(answers, "insolvency") else (),
        )  # fmt: skip


class CompaniesHouseProvider(ProviderBase):
    """See the port."""

    def __init__(self, wire: Wire, api_key: str) -> None:
        self._wire = wire
        self._basic = (api_key, "")

    @override
    async def test(self) -> None:
        check(await self._wire.ask("GET", "search/companies", params={"q": "test"}, basic=self._basic))

    @override
    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        wanted = company.registration_number.strip().upper()
        answer = await self._wire.ask(
            "GET", "search/companies", params={"q": wanted or company.name or ""}, basic=self._basic
        )
        check(answer)
        found = [
            Candidate(
                number, text(item.get("title")) or number, number, "GB", address=text(item.get("address_snippet")),
                active={"active": True, "dissolved": False}.get(text(item.get("company_status")) or ""),
                exact=number == wanted,
            )
            for item in listed(json_object(answer.body).get("items"))
            if isinstance(item, dict) and (number := text(item.get("company_number")))
        ]  # fmt: skip
        return sorted(found, key=lambda one: not one.exact)

    @override
    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        number = company.registration_number.strip().upper()
        if not re.fullmatch(r"[A-Z0-9]{8}", number):
            raise Rejected("Companies House numbers have eight characters")
        path = f"company/{number}"
        return await read_parts(
            ("profile", lambda: self._get("profile", path, (200,))),
            ("insolvency", lambda: self._get("insolvency", f"{path}/insolvency", (200, 404))),
        )

    async def _get(self, name: str, path: str, known: Sequence[int]) -> RawAnswer:
        answer = await self._wire.ask("GET", path, basic=self._basic, headers={"accept": "application/json"})
        check(answer, known=known)
        return self._wire.keep(name, "GET", path, answer)
