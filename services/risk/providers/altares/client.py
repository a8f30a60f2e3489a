"""Altares Intuiz over IWS: identity, score, history; the watch list one company at a time; unread alerts."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import override

from libs.kit import clock
from services.risk.providers.altares import mapper, payloads
from services.risk.providers.base import AdapterBase, Options, ProviderBase, missed, part, read_parts
from services.risk.providers.capabilities import Capabilities, Events, Portfolio, Rate, supplied
from services.risk.providers.errors import CompanyNotFound, NotSupported, Rejected
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
from services.risk.providers.field_map import FieldMap, check_map
from services.risk.providers.port import Connection, CredentialField, Product, Transport
from services.risk.providers.reading import dated, integer, listed, text
from services.risk.providers.wire import Wire, check

_KINDS: dict[str, EventKind] = {
    "ALTA_SCO": "score", "ALTA_BIL": "accounts", "ALTA_ETA": "state", "ALTA_RS": "identity", "ALTA_FJ": "identity",
    "ALTA_ADR": "address", "ALTA_CAP": "capital", "ALTA_ACT": "activity",
}  # fmt: skip
_PAGE = 100
_BACK = timedelta(days=90)
_FROM_MAP = ("recommended_credit", "paydex", "payment_delay_days", "privileges_amount", "privileges_count")


class Operations(BaseModel):
    """Names of IWS operations that are not public: the contract's documentation (or the WSDL) tells them."""

    model_config = ConfigDict(extra="forbid")
    score: str | None = Field(None, pattern=r"^\w+$", description="the score of a company")
    watch: str | None = Field(None, pattern=r"^\w+$", description="add to the watch list")
    unwatch: str | None = Field(None, pattern=r"^\w+$", description="remove from the watch list")
    alerts: str | None = Field(None, pattern=r"^\w+$", description="list alerts")
    mark_alert: str | None = Field(None, pattern=r"^\w+$", description="mark an alert read")


#: What the sandbox calls them, and where it puts what has no public name.
_STAND_IN = Operations(
    score="getScore", watch="ajouterSurveillance", unwatch="supprimerSurveillance", alerts="listerAlertes",
    mark_alert="marquerAlerte",
)  # fmt: skip
_STAND_IN_MAP: dict[str, Any] = {
    "recommended_credit": {"pointer": "/creditConseille", "currency": "EUR"},
    "paydex": {"pointer": "/paydex"},
    "privileges_amount": {"pointer": "/montantPrivileges", "currency": "EUR"},
}


class AltaresOptions(Options):
    """Settings of an Altares connection."""

    client_reference: str = Field(
        "Encours", max_length=40, description="refClient, free text on Altares' invoice"
    )
    operations: Operations = Operations()
    field_map: FieldMap = Field(
        {}, description="fields whose names are not public, by pointer into an answer's myInfo"
    )
    billed: bool = Field(False, description="whether each reading is charged under the contract")

    @field_validator("field_map")
    @classmethod
    def _fits(cls, value: FieldMap) -> FieldMap:
        return check_map(value)


class Altares(AdapterBase):
    """Altares Intuiz: score out of 100, turnover, collective proceedings, watch list with alerts."""

    key = "altares"
    title = "Altares (Intuiz)"
    products = (Product("intuiz", "Intuiz / IWS"),)
    credentials = (CredentialField("login", "Login", secret=False), CredentialField("password", "Password"))
    mapping_version = 1
    default_base_url = "https://intuiz.altares.fr/iws-v3.18/services"
    options_model = AltaresOptions
    unknown = (
        "Where recommended credit, Paydex and the amount of privileges stand: say it in `field_map`.",
        "The names of the operations for the score and for the watch list: say them in `operations`; until then the score "
        "is the latest of its history, and there is no watch list.",
        "Which words `procedureCollective` may hold: unknown ones count as proceedings, to be reviewed.",
        "Rate limits, and whether amounts are always in euros.",
    )

    @override
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        settings = AltaresOptions.model_validate(dict(options))
        mapped = tuple(name for name in settings.field_map if name in _FROM_MAP)
        if "paydex" in mapped:
            mapped += ("payment_delay_days",)
        return Capabilities(
            fields=supplied(
                "name", "score", "sector_score", "grade", "legal_status", "activity", "turnover", "headcount", "legal_form",
                "company_active", "created_on", *settings.field_map, *mapped,
                unknown=tuple(name for name in _FROM_MAP if name not in mapped),
            ),
            search_by=("siren", "siret", "name"),
            countries=("FR",),
            auth="body_hash",
            rate=Rate(5, 1, "configured"),
            portfolio=Portfolio(add=True, remove=True),
            events=Events(mode="pull", cursor="unread", ack=True),
            fetch_billed=settings.billed,
            history=True,
        )  # fmt: skip

    @override
    def connect(self, connection: Connection, transport: Transport) -> "AltaresProvider":
        settings = self._settings(connection)
        wire = self.wire(connection, transport)
        given = connection.credentials
        identification = payloads.identification(given.get("login", ""), given.get("password", ""))
        wire.hide(identification, identification.partition("|")[2])
        operations = settings.operations
        if connection.stand_in:
            operations = _STAND_IN.model_copy(update=operations.model_dump(exclude_none=True))
        return AltaresProvider(
            wire, identification, settings, operations, dated_calls=not connection.stand_in
        )

    @override
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Raises CompanyNotFound, GarbageAnswer… as the identity says."""
        settings = self._settings(connection)
        parts: dict[str, dict[str, Any]] = {}
        for name in ("identity", "score", "history"):
            answer = part(answers, name)
            if answer is not None:
                parts[name] = _info_or_nothing(answer.body)
        failed = [
            *(("score", "sector_score", "grade") if missed(answers, "score") else ()),
            *(_OF_IDENTITY if missed(answers, "identity") else ()),
        ]
        return mapper.map_company(
            parts, product=connection.product, version=self.mapping_version, field_map=settings.field_map, failed=failed,
            capabilities=self.capabilities(settings.model_dump()),
        )  # fmt: skip

    def _settings(self, connection: Connection) -> AltaresOptions:
        """The options; those of a stand-in filled up with its names, unless they are told."""
        settings: AltaresOptions = self.options(connection)
        if not connection.stand_in:
            return settings
        return AltaresOptions.model_validate({
            **settings.model_dump(),
            "operations": {**_STAND_IN.model_dump(), **settings.operations.model_dump(exclude_none=True)},
            "field_map": settings.model_dump()["field_map"] or _STAND_IN_MAP,
        })  # fmt: skip


_OF_IDENTITY = (
    "name", "legal_status", "activity", "turnover", "headcount", "legal_form", "company_active", "created_on", *_FROM_MAP,
)  # fmt: skip


class AltaresProvider(ProviderBase):
    """See the port."""

    def __init__(
        self,
        wire: Wire,
        identification: str,
        settings: AltaresOptions,
        operations: Operations,
        *,
        dated_calls: bool,
    ) -> None:
        self._wire = wire
        self._identification = identification
        self._settings = settings
        self._operations = settings.operations
        self._dated_calls = dated_calls

    @override
    async def test(self) -> None:
        """A search for a number that cannot exist: wrong credentials are told before a missing company is."""
        await self._ask("CallistoIdentite", "doRechercheSimple", {"qui": "000000000", "nbElt": "1"})

    @override
    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        siren = re.sub(r"\D", "", company.registration_number)[:9]
        parameters = {"qui": siren or company.name or "", "ou": company.city or "", "nbElt": "20"}
        try:
            info = await self._ask("CallistoIdentite", "doRechercheSimple", parameters)
        except CompanyNotFound:
            return []
        found: dict[str, Candidate] = {}
        for row in listed(info.get("etablissements") or info.get("myInfo")):
            number = (text(row.get("siret")) or "")[:9] if isinstance(row, dict) else ""
            if number and (number not in found or text(row.get("siege")) == "true"):
                found[number] = Candidate(
                    number, text(row.get("raisonSociale")) or number, number, "FR", address=text(row.get("rue")),
                    postal_code=text(row.get("codePostal")), city=text(row.get("ville")),
                    active={"true": True, "false": False}.get(text(row.get("actif")) or ""), exact=number == siren,
                )  # fmt: skip
        return sorted(found.values(), key=lambda one: not one.exact)

    @override
    async def add(self, company: CompanyRef) -> Outcome:
        parameters = {"ajoutAlerte": "true", "operation": "1", "siren": _siren(company)}
        return await self._member("watch", parameters, payloads.ALREADY_WATCHED)

    @override
    async def remove(self, company: CompanyRef) -> Outcome:
        return await self._member("unwatch", {"siren": _siren(company)}, payloads.NOT_WATCHED)

    @override
    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        siren = _siren(company)
        wanted = [
            ("identity", "CallistoIdentite", "getIdentiteAltaN3Entreprise", {"sirenRna": siren}),
            ("history", "CallistoRisque", "getHistoriqueScore", {"siren": siren}),
        ]
        if self._operations.score:
            wanted.append(("score", "CallistoRisque", self._operations.score, {"siren": siren}))
        return await read_parts(*((name, self._reader(name, *call)) for name, *call in wanted))  # type: ignore[arg-type]

    @override
    async def events(self, since: str | None, cursor: str | None = None) -> EventPage:
        """Unread alerts, page by page. Acknowledge after the last page: what is marked read moves the pages."""
        page = int(cursor or 1)
        today = clock.wall().date()
        parameters = {"etatLu": "2", "page": str(page), "taillePage": str(_PAGE)}
        if self._dated_calls:
            start = date.fromisoformat(since) - timedelta(days=1) if since else today - _BACK
            parameters |= {"du": start.isoformat(), "au": (today + timedelta(days=1)).isoformat()}
        info = await self._ask("CallistoAlerte", self._named("alerts"), parameters)
        alerts = [one for one in listed(info.get("alerteList")) if isinstance(one, dict)]
        events = tuple(event for alert in alerts for event in _events(alert))
        more = (integer(info.get("nbTotalAlerteList")) or 0) > page * _PAGE
        return EventPage(events, str(page + 1) if more else None, today.isoformat())

    @override
    async def acknowledge(self, events: Sequence[ProviderEvent]) -> None:
        for alert in dict.fromkeys(event.ack for event in events if event.ack):
            await self._ask("CallistoAlerte", self._named("mark_alert"), {"alerteId": alert, "bLu": "true"})

    async def _member(self, operation: str, parameters: dict[str, str], already: str) -> Outcome:
        try:
            await self._ask("CallistoAlerte", self._named(operation), parameters, changes=True)
        except Rejected as rejected:
            if rejected.code != already:
                raise
            return Outcome(parameters["siren"], already=True)
        return Outcome(parameters["siren"])

    def _reader(self, name: str, service: str, operation: str, parameters: dict[str, str]) -> Any:
        async def read() -> RawAnswer:
            answer, content = await self._send(service, operation, parameters, changes=self._settings.billed)
            _info_or_nothing(answer.body)  # a fault or an exception is not an answer to keep
            return self._wire.keep(
                name, "POST", service, answer, content=content, billed=self._settings.billed
            )

        return read

    async def _ask(
        self, service: str, operation: str, parameters: Mapping[str, str], *, changes: bool = False
    ) -> dict[str, Any]:
        answer, _ = await self._send(service, operation, parameters, changes=changes)
        return payloads.info(answer.body)

    async def _send(
        self, service: str, operation: str, parameters: Mapping[str, str], *, changes: bool = False
    ) -> tuple[Any, bytes]:
        given = {
            "identification": self._identification,
            "refClient": self._settings.client_reference,
            **parameters,
        }
        content = payloads.envelope(operation, given)
        headers = {"content-type": "text/xml; charset=utf-8", "soapaction": f'"urn:{operation}"'}
        answer = await self._wire.ask("POST", service, headers=headers, content=content, changes=changes)
        check(answer)
        return answer, content

    def _named(self, operation: str) -> str:
        name: str | None = getattr(self._operations, operation)
        if name is None:
            raise NotSupported(
                f"the name of the operation `{operation}` is not configured (options.operations)"
            )
        return name


def _info_or_nothing(body: bytes) -> dict[str, Any]:
    """The info; an empty one where Altares says that it has no figures, which is an answer."""
    try:
        return payloads.info(body)
    except Rejected as rejected:
        if rejected.code != payloads.NO_FIGURES:
            raise
        return {}


def _events(alert: Mapping[str, Any]) -> list[ProviderEvent]:
    alert_id, siren = text(alert.get("id")), text(alert.get("siren"))
    found = []
    for one in listed(alert.get("evenementList")):
        code, day = text(one.get("nomEvenementCode")), dated(one.get("dateEvenement"))
        found.append(
            ProviderEvent(
                id=f"{alert_id}:{code}:{day}", kind=_KINDS.get(code or "", "other"), code=code, registration_number=siren,
                provider_reference=siren, occurred_on=day, ack=alert_id,
            )
        )  # fmt: skip
    return found


def _siren(company: CompanyRef) -> str:
    digits = re.sub(r"\D", "", company.registration_number)
    if len(digits) not in (9, 14):
        raise Rejected("Altares is asked by SIREN: nine digits")
    return digits[:9]
