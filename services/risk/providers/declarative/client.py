"""The adapter that is told everything: its calls, its answers, its errors."""

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, get_args
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape as xml_escape

from lxml import etree
from typing_extensions import override

from services.risk.providers.base import AdapterBase, ProviderBase, missed, part, read_parts
from services.risk.providers.capabilities import Capabilities, Events, Portfolio, Rate, Supply, supplied
from services.risk.providers.declarative import mapper
from services.risk.providers.declarative.config import Call, DeclarativeOptions, Meaning, Rows, fill
from services.risk.providers.errors import (
    AuthRefused,
    CompanyNotFound,
    EntitlementMissing,
    GarbageAnswer,
    NotReady,
    NotSupported,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    Rejected,
)
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
from services.risk.providers.field_map import resolve
from services.risk.providers.port import Answer, Connection, CredentialField, Flaw, Product, Transport
from services.risk.providers.reading import dated, json_of, listed, local, number, text, tree_of, xml_of
from services.risk.providers.session import Session
from services.risk.providers.wire import Wire, check, retry_after

_SUCCESS = (200, 201, 202, 204)
_ERRORS: dict[Meaning, type[ProviderError]] = {
    "not_found": CompanyNotFound, "auth": AuthRefused, "entitlement": EntitlementMissing,
    "unavailable": ProviderUnavailable, "rejected": Rejected, "not_ready": NotReady,
}  # fmt: skip
_ANNOTATED_KINDS: tuple[EventKind, ...] = get_args(EventKind)


class Declarative(AdapterBase):
    """A provider connected by configuration alone."""

    key = "declarative"
    title = "Any provider over REST or XML (described by you)"
    products: tuple[Product, ...] = (Product("described", "As described"),)
    credentials: tuple[CredentialField, ...] = (
        CredentialField("user", "User, client id", secret=False, required=False),
        CredentialField("secret", "Password, token, key or client secret", required=False),
    )
    mapping_version = 1
    default_base_url = None
    options_model = DeclarativeOptions
    unknown: tuple[str, ...] = ("Everything that the connection's options do not say.",)

    @override
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        if not options:
            return Capabilities(
                fields=supplied(unknown=tuple(_every_field())), search_by=(), countries=None, auth="none",
                rate=Rate(5, 1, "configured"),
            )  # fmt: skip
        settings = DeclarativeOptions.model_validate(dict(options))
        changes = Events(mode="pull", cursor="date") if settings.changes else Events()
        fields: dict[str, Supply] = supplied(*settings.fields)
        if "paydex" in settings.fields:
            fields["payment_delay_days"] = "yes"
        return Capabilities(
            fields=fields,
            search_by=("siren", "name") if settings.search else (),
            countries=tuple(settings.countries) or None,
            auth=settings.auth.kind,
            rate=Rate(settings.calls_per_second, 1, "configured"),
            portfolio=Portfolio(bool(settings.add), bool(settings.remove), bool(settings.members)),
            events=changes,
            search_billed=bool(settings.search and settings.search.call.billed),
            fetch_billed=any(call.billed for call in settings.fetch.values()),
            portal_link="portal_url" in settings.fields,
        )

    @override
    def flaws(self, connection: Connection) -> list[Flaw]:
        found = super().flaws(connection)
        kind = (connection.options.get("auth") or {}).get("kind", "bearer")
        if kind != "none" and not connection.credentials.get("secret") and not connection.stand_in:
            found.append(Flaw("/credentials/secret", "missing", f"Authentication by {kind} needs a secret."))
        return found

    @override
    def connect(self, connection: Connection, transport: Transport) -> "DeclarativeProvider":
        settings: DeclarativeOptions = self.options(connection)
        return DeclarativeProvider(self.wire(connection, transport), connection.credentials, settings)

    @override
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Raises what the configured failures say, and GarbageAnswer for what cannot be read."""
        settings: DeclarativeOptions = self.options(connection)
        found = {name: part(answers, name) for name in settings.fetch}
        parts = {name: document(one.body, settings) for name, one in found.items() if one is not None}
        provider = settings.provider if settings.provider != "declarative" else self.key
        return mapper.map_parts(
            parts, product=connection.product, version=self.mapping_version, options=settings, provider=provider,
            capabilities=self.capabilities(connection.options),
            failed_parts=[name for name in settings.fetch if missed(answers, name)],
        )  # fmt: skip


class DeclarativeProvider(ProviderBase):
    """See the port."""

    def __init__(self, wire: Wire, credentials: Mapping[str, str], settings: DeclarativeOptions) -> None:
        self._wire = wire
        self._user = credentials.get("user", "")
        self._secret = credentials.get("secret", "") or credentials.get("token", "")
        self._settings = settings
        self._session = Session(self._log_in)

    @override
    async def test(self) -> None:
        search = self._settings.search
        call = self._settings.test or (search.call if search else None)
        if call is None:
            raise NotSupported("no harmless call is described (options.test)")
        try:
            await self._ask(call, _facts(CompanyRef("000000000", "FR", name="test")))
        except CompanyNotFound:
            return

    @override
    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        described = self._settings.search
        if described is None:
            raise NotSupported("no search is described (options.search)")
        number_asked = re.sub(r"\s", "", company.registration_number)
        call = described.call if number_asked or described.by_name is None else described.by_name
        try:
            answer = await self._ask(call, _facts(company))
        except CompanyNotFound:
            return []
        rows = described.rows
        found = []
        for row in self._rows(answer, rows):
            registered = _at(row, rows.registration_number)
            reference = _at(row, rows.reference) or registered
            if reference is not None:
                found.append(Candidate(
                    reference, _at(row, rows.name) or reference, registered, company.country, city=_at(row, rows.city),
                    postal_code=_at(row, rows.postal_code), exact=bool(number_asked) and registered == number_asked,
                ))  # fmt: skip
        return sorted(found, key=lambda one: not one.exact)

    @override
    async def add(self, company: CompanyRef) -> Outcome:
        return await self._change(self._settings.add, company)

    @override
    async def remove(self, company: CompanyRef) -> Outcome:
        return await self._change(self._settings.remove, company)

    @override
    async def members(self) -> AsyncIterator[Member]:
        described = self._settings.members
        if described is None:
            raise NotSupported("no list of the portfolio is described (options.members)")
        for row in self._rows(await self._ask(described.call, {}), described.rows):
            yield Member(_at(row, described.rows.reference), _at(row, described.rows.registration_number))

    @override
    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        facts = _facts(company)
        return await read_parts(
            *((name, self._reader(name, call, facts)) for name, call in self._settings.fetch.items())
        )

    @override
    async def events(self, since: str | None, cursor: str | None = None) -> EventPage:
        described = self._settings.changes
        if described is None:
            raise NotSupported("no changes are described (options.changes)")
        rows = self._rows(
            await self._ask(described.call, {"since": since or "", "cursor": cursor or ""}), described.rows
        )
        events = []
        for row in rows:
            event_id, kind = _at(row, described.id), _at(row, described.kind)
            if event_id is not None:
                said = described.kinds.get(kind or "", kind or "")
                events.append(ProviderEvent(
                    id=event_id, kind=said if said in _ANNOTATED_KINDS else "other", code=kind,
                    registration_number=_at(row, described.rows.registration_number),
                    provider_reference=_at(row, described.rows.reference), occurred_on=dated(_at(row, described.on)),
                ))  # fmt: skip
        latest = max((event.occurred_on.isoformat() for event in events if event.occurred_on), default=since)
        return EventPage(tuple(events), None, latest)

    async def _change(self, call: Call | None, company: CompanyRef) -> Outcome:
        if call is None:
            raise NotSupported("no portfolio is described (options.add, options.remove)")
        try:
            await self._ask(call, _facts(company), changes=True)
        except _AlreadyError:
            return Outcome(company.provider_reference, already=True)
        return Outcome(company.provider_reference, billed=call.billed)

    def _reader(self, name: str, call: Call, facts: Mapping[str, str]) -> Any:
        async def read() -> RawAnswer:
            answer = await self._ask(call, facts)
            path, params, body = self._filled(call, facts)
            return self._wire.keep(
                name, call.method, path, answer, params=params, content=body, billed=call.billed
            )

        return read

    def _rows(self, answer: Answer, rows: Rows) -> list[Any]:
        return listed(resolve(document(answer.body, self._settings), rows.list))

    async def _ask(self, call: Call, facts: Mapping[str, str], *, changes: bool = False) -> Answer:
        path, params, body = self._filled(call, facts)
        headers = {name: fill(value, facts, _one_line) for name, value in call.headers.items()}
        headers |= {
            "accept": "application/json" if self._settings.format == "json" else "application/xml, text/xml"
        }
        headers |= {"content-type": call.content_type} if body is not None else {}
        auth = self._settings.auth
        basic = (self._user, self._secret) if auth.kind == "basic" else None
        if auth.kind == "bearer":
            headers["authorization"] = f"Bearer {self._secret}"
        elif auth.kind == "api_key":
            headers[auth.header.lower()] = self._secret

        async def send(token: str | None = None) -> Answer:
            present = headers if token is None else {**headers, "authorization": f"Bearer {token}"}
            return await self._wire.ask(
                call.method,
                path,
                headers=present,
                params=params,
                content=body,
                basic=basic,
                changes=changes or call.billed,
            )

        answer = await self._session.send(send) if auth.kind == "oauth_cc" else await send()
        self._judge(answer)
        return answer

    def _filled(
        self, call: Call, facts: Mapping[str, str]
    ) -> tuple[str, dict[str, str] | None, bytes | None]:
        auth = self._settings.auth
        params = {name: fill(value, facts, str) for name, value in call.query.items()}
        if auth.kind == "query_token":
            params[auth.parameter] = self._secret
        body = None
        if call.body is not None:
            body = fill(
                call.body, facts, _in_json if call.content_type == "application/json" else _in_xml
            ).encode()
        return fill(call.path, facts, lambda value: quote(value, safe="")), params or None, body

    def _judge(self, answer: Answer) -> None:
        """What the description says of this answer; then what HTTP says."""
        for failure in self._settings.failures:
            if failure.status is not None and failure.status != answer.status:
                continue
            if failure.pointer is not None:
                try:
                    found = text(resolve(document(answer.body, self._settings), failure.pointer))
                except GarbageAnswer:
                    continue
                if found is None or (failure.equals is not None and found != failure.equals):
                    continue
            if failure.means == "no_data":
                return
            raise _meaning(failure.means, answer)
        if answer.status == 202:
            raise NotReady("the provider is still working on it")
        check(answer, known=_SUCCESS)

    async def _log_in(self) -> tuple[str, float]:
        auth = self._settings.auth
        form = {"grant_type": "client_credentials", "client_id": self._user, "client_secret": self._secret}
        form |= {"scope": auth.scope} if auth.scope else {}
        answer = await self._wire.ask(
            "POST", auth.token_path or "", content=urlencode(form).encode(),
            headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
        )  # fmt: skip
        if answer.status == 400:
            raise AuthRefused("the provider refuses these credentials")
        check(answer)
        found = json_of(answer.body)
        token = text(found.get("access_token")) if isinstance(found, dict) else None
        if token is None:
            raise GarbageAnswer("a log-in without a token")
        self._wire.hide(token)
        return token, float(number(found.get("expires_in")) or 600)


class _AlreadyError(ProviderError):
    """It was so before: a success where something is added or removed."""

    kind = "rejected"


def document(body: bytes, settings: DeclarativeOptions) -> Any:
    """An answer as plain values; XML with its attributes, below its root."""
    if not body.strip():
        return None
    return json_of(body) if settings.format == "json" else with_attributes(xml_of(body))


def with_attributes(element: etree._Element, depth: int = 0) -> Any:
    """An element as plain values, attributes under `@name`."""
    if not any(child.attrib for child in element.iter()):
        return tree_of(element)
    if depth > 60:
        raise GarbageAnswer("the XML is nested too deeply")
    found: dict[str, Any] = {
        f"@{etree.QName(name).localname}": value for name, value in element.attrib.items()
    }
    for child in element:
        name, value = local(child), with_attributes(child, depth + 1)
        found[name] = [*listed(found[name]), value] if name in found else value
    own = (element.text or "").strip()
    if not len(element):
        return {**found, "#text": own} if found else own
    return found


def _meaning(means: Meaning, answer: Answer) -> ProviderError:
    if means == "rate_limited":
        return RateLimited("too many calls", after=retry_after(answer.headers.get("retry-after")))
    if means == "already":
        return _AlreadyError("it was so before")
    kind = _ERRORS.get(means, Rejected)
    return kind(f"the provider's answer means {means} (status {answer.status})")


def _facts(company: CompanyRef) -> dict[str, str]:
    digits = re.sub(r"\D", "", company.registration_number)
    return {
        "registration_number": re.sub(r"\s", "", company.registration_number),
        "siren": digits[:9] if company.country == "FR" else "",
        "country": company.country,
        "name": company.name or "",
        "vat_number": company.vat_number or "",
        "provider_reference": company.provider_reference or re.sub(r"\s", "", company.registration_number),
    }


def _at(row: Any, pointer: str | None) -> str | None:
    return text(resolve(row, pointer)) if pointer is not None else None


def _in_json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _in_xml(value: str) -> str:
    return xml_escape(value, {'"': "&quot;"})


def _one_line(value: str) -> str:
    return re.sub(r"[^\x20-\x7e]", " ", value)


def _every_field() -> Sequence[str]:
    return tuple(supplied())
