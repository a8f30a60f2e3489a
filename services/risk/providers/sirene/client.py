"""Sirene's API: one legal unit, or a search."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from services.risk.providers.base import AdapterBase, ProviderBase
from services.risk.providers.capabilities import Capabilities, Rate, supplied
from services.risk.providers.errors import CompanyNotFound, GarbageAnswer, Rejected
from services.risk.providers.facts import Candidate, CompanyRef, RawAnswer, Snapshot
from services.risk.providers.port import Connection, CredentialField, Product, Transport
from services.risk.providers.reading import at, json_object, listed, text
from services.risk.providers.sirene import mapper
from services.risk.providers.wire import Wire, check

_HEADER = "X-INSEE-Api-Key-Integration"


class Sirene(AdapterBase):
    """The French register: free, with a key of one's own."""

    key = "sirene"
    title = "INSEE Sirene"
    products = (Product("register", "Register of companies"),)
    credentials = (CredentialField("api_key", "Integration key of portail-api.insee.fr"),)
    mapping_version = 1
    default_base_url = "https://api.insee.fr/api-sirene/3.11"
    unknown = (
        "A unit that does not wish to be diffused comes with its fields masked; they read as no data.",
    )

    @override
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        return Capabilities(
            fields=supplied(
                "name", "activity", "legal_form", "headcount_band", "company_active", "created_on"
            ),
            search_by=("siren", "siret", "name"),
            countries=("FR",),
            auth="api_key",
            rate=Rate(30, 60, "documented"),
        )

    @override
    def connect(self, connection: Connection, transport: Transport) -> "SireneProvider":
        return SireneProvider(self.wire(connection, transport), connection.credentials.get("api_key", ""))

    @override
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Raises GarbageAnswer when there is no legal unit in the answer."""
        if not answers:
            raise GarbageAnswer("no answer to map")
        return mapper.map_unit(
            json_object(answers[0].body), product=connection.product, version=self.mapping_version,
            capabilities=self.capabilities(connection.options),
        )  # fmt: skip


class SireneProvider(ProviderBase):
    """See the port."""

    def __init__(self, wire: Wire, api_key: str) -> None:
        self._wire = wire
        self._headers = {_HEADER: api_key, "accept": "application/json"}

    @override
    async def test(self) -> None:
        check(await self._wire.ask("GET", "informations", headers=self._headers))

    @override
    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        digits = re.sub(r"\D", "", company.registration_number)
        if digits:
            try:
                unit = mapper.unit_of(json_object((await self._unit(company)).body))
            except CompanyNotFound:
                return []
            return [_candidate(unit, exact=True)]
        name = re.sub(r"[^\w .&-]", " ", company.name or "")[:100]
        query = f'denominationUniteLegale:"{name}"'
        answer = await self._wire.ask(
            "GET", "siren", params={"q": query, "nombre": "20"}, headers=self._headers
        )
        if answer.status == 404:
            return []
        check(answer)
        units = listed(json_object(answer.body).get("unitesLegales"))
        return [_candidate(unit, exact=False) for unit in units if isinstance(unit, dict)]

    @override
    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        return (await self._unit(company),)

    async def _unit(self, company: CompanyRef) -> RawAnswer:
        digits = re.sub(r"\D", "", company.registration_number)
        if len(digits) not in (9, 14):
            raise Rejected("Sirene knows French companies only: expected a SIREN")
        path = f"siren/{digits[:9]}"
        answer = await self._wire.ask("GET", path, headers=self._headers)
        check(answer)
        return self._wire.keep("unit", "GET", path, answer)


def _candidate(unit: Mapping[str, Any], *, exact: bool) -> Candidate:
    period = mapper.current_period(listed(unit.get("periodesUniteLegale")))
    siren = text(unit.get("siren")) or ""
    name = text(period.get("denominationUniteLegale")) or text(unit.get("denominationUniteLegale")) or siren
    state = text(period.get("etatAdministratifUniteLegale")) or text(at(unit, "etatAdministratifUniteLegale"))
    return Candidate(siren, name, siren, "FR", active={"A": True, "C": False}.get(state or ""), exact=exact)
