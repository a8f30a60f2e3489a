"""Infolegale: score, identity and legal notices, by SIREN."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field
from typing_extensions import override

from services.risk.providers.base import AdapterBase, Options, ProviderBase, missed, part, read_parts
from services.risk.providers.capabilities import Capabilities, Rate, supplied
from services.risk.providers.errors import AuthRefused, CompanyNotFound, GarbageAnswer, Rejected
from services.risk.providers.facts import Candidate, CompanyRef, RawAnswer, Snapshot
from services.risk.providers.infolegale import mapper
from services.risk.providers.port import Connection, CredentialField, Product, Transport
from services.risk.providers.reading import at, first, listed, text, tree_of, xml_of
from services.risk.providers.wire import Wire, check

_PARTS = (("identity", "getIdentity"), ("score", "getScore"), ("notices", "getListAnnonceLegale"))
_AUTH = re.compile(r"token|auth|droit|acc[eè]s", re.IGNORECASE)
_UNKNOWN = re.compile(r"inconnu|introuvable|not found|404", re.IGNORECASE)


class InfolegaleOptions(Options):
    """Settings of an Infolegale connection."""

    billed: bool = Field(True, description="whether each reading is charged under the contract")


class Infolegale(AdapterBase):
    """Infolegale: score out of 20, recommended credit, legal events."""

    key = "infolegale"
    title = "Infolegale"
    products = (Product("web_services", "Web services"),)
    credentials = (CredentialField("token", "Token"),)
    mapping_version = 1
    default_base_url = None
    options_model = InfolegaleOptions
    unknown = (
        "The present version and address of the web services: name the address of your contract as base_url.",
        "The scale of the score (0–20 is assumed) and the currency of the credit (euros are assumed).",
        "The full list of event codes; portfolio and monitoring calls.",
    )

    @override
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        settings = InfolegaleOptions.model_validate(dict(options))
        return Capabilities(
            fields=supplied(
                "name", "score", "recommended_credit", "legal_status", "turnover", "activity", "legal_form", "created_on",
                "risk_class", "company_active",
            ),
            search_by=("siren", "name"),
            countries=("FR",),
            auth="query_token",
            rate=Rate(5, 1, "configured"),
            fetch_billed=settings.billed,
            notices=True,
        )  # fmt: skip

    @override
    def connect(self, connection: Connection, transport: Transport) -> "InfolegaleProvider":
        settings: InfolegaleOptions = self.options(connection)
        return InfolegaleProvider(
            self.wire(connection, transport), connection.credentials.get("token", ""), settings
        )

    @override
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Raises what an answer's errors say."""
        parts = {
            name: content(answer.body) for name, _ in _PARTS if (answer := part(answers, name)) is not None
        }
        failed = (
            *(("score", "recommended_credit") if missed(answers, "score") else ()),
            *(_OF_IDENTITY if missed(answers, "identity") else ()),
        )
        return mapper.map_company(
            parts, product=connection.product, version=self.mapping_version,
            capabilities=self.capabilities(connection.options), failed=failed,
        )  # fmt: skip


_OF_IDENTITY = (
    "name", "legal_status", "turnover", "activity", "legal_form", "created_on", "risk_class", "company_active",
)  # fmt: skip


class InfolegaleProvider(ProviderBase):
    """See the port."""

    def __init__(self, wire: Wire, token: str, settings: InfolegaleOptions) -> None:
        self._wire = wire
        self._token = token
        self._settings = settings

    @override
    async def test(self) -> None:
        try:
            await self._ask("searchCompany", {"siren": "000000000"})
        except CompanyNotFound:
            return

    @override
    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        siren = re.sub(r"\D", "", company.registration_number)[:9]
        try:
            answer = await self._ask(
                "searchCompany", {"siren": siren} if siren else {"raisonSociale": company.name or ""}
            )
        except CompanyNotFound:
            return []
        found = [
            Candidate(
                number, text(at(row, "raisonSociale")) or number, number, "FR", city=text(at(row, "ville")),
                postal_code=text(at(row, "codePostal")), exact=number == siren,
            )
            for row in listed(at(content(answer.body), "companies", "company"))
            if (number := text(at(row, "siren")))
        ]  # fmt: skip
        return sorted(found, key=lambda one: not one.exact)

    @override
    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        digits = re.sub(r"\D", "", company.registration_number)
        if len(digits) not in (9, 14):
            raise Rejected("Infolegale is asked by SIREN: nine digits")
        return await read_parts(*((name, self._reader(name, method, digits[:9])) for name, method in _PARTS))

    def _reader(self, name: str, method: str, siren: str) -> Any:
        async def read() -> RawAnswer:
            return await self._ask(method, {"siren": siren}, name=name, billed=self._settings.billed)

        return read

    async def _ask(
        self, method: str, query: Mapping[str, str], *, name: str = "search", billed: bool = False
    ) -> RawAnswer:
        params = {"token": self._token, **query}
        answer = await self._wire.ask("GET", method, params=params, changes=billed)
        check(answer)
        content(answer.body)
        return self._wire.keep(name, "GET", method, answer, params=params, billed=billed)


def content(body: bytes) -> dict[str, Any]:
    """The `content` of an answer. Raises AuthRefused, CompanyNotFound or Rejected for errors, which come inside HTTP 200."""
    root = xml_of(body)
    errors, inside = first(root, "errors"), first(root, "content")
    if errors is not None and (len(errors) or text(errors.text)):
        said = " ".join(str(piece) for piece in errors.itertext()).strip()
        if _UNKNOWN.search(said):
            raise CompanyNotFound("Infolegale does not know this company")
        if _AUTH.search(said):
            raise AuthRefused("Infolegale refuses this token")
        raise Rejected("Infolegale answered with an error")
    if inside is None:
        raise GarbageAnswer("an answer without content")
    found = tree_of(inside)
    return found if isinstance(found, dict) else {}
