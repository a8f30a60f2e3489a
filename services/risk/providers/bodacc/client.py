"""BODACC's API: records of a company, and the whole market's notices of a day."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from typing_extensions import override

from services.risk.providers.base import AdapterBase, Options, ProviderBase
from services.risk.providers.bodacc import mapper, payloads
from services.risk.providers.capabilities import Capabilities, Events, Rate, supplied
from services.risk.providers.errors import GarbageAnswer, Rejected
from services.risk.providers.facts import (
    Candidate,
    CompanyRef,
    EventKind,
    EventPage,
    ProviderEvent,
    RawAnswer,
    Snapshot,
)
from services.risk.providers.port import Connection, Product, Transport
from services.risk.providers.reading import at, integer, json_object, text
from services.risk.providers.wire import Wire, check

_PATH = "api/explore/v2.1/catalog/datasets/annonces-commerciales/records"
_PAGE = 100
#: The API refuses a deeper offset; no company has so many notices, and a day of the market has a few hundred.
_DEEPEST = 10_000
_IN_FAMILIES = "familleavis in ({})".format(", ".join(f'"{family}"' for family in payloads.FAMILIES))


class Bodacc(AdapterBase):
    """The gazette: legal status of French companies, complete and free."""

    key = "bodacc"
    title = "BODACC"
    products = (Product("notices", "Legal notices (open data)"),)
    mapping_version = 1
    default_base_url = "https://bodacc-datadila.opendatasoft.com"
    unknown = (
        "The number of calls a day that is allowed without a key is not written down; we keep to 10 a second.",
        "An annulment was seen in the 2008 files only; its `typeavis` in today's API is expected to be `annulation`.",
    )
    options_model = Options

    @override
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        return Capabilities(
            fields=supplied("legal_status", "portal_url"),
            search_by=("siren", "name"),
            countries=("FR",),
            auth="none",
            rate=Rate(10, 1, "configured"),
            events=Events(mode="pull", cursor="date", whole_market=True),
            history=True,
            notices=True,
            portal_link=True,
        )

    @override
    def connect(self, connection: Connection, transport: Transport) -> "BodaccProvider":
        return BodaccProvider(self.wire(connection, transport))

    @override
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        """Raises GarbageAnswer unless every page is there."""
        found = mapper.records(answers)
        siren = answers[0].part.split(":")[1] if answers else ""
        if not all(siren in payloads.registers(record) for record in found) or not siren:
            raise GarbageAnswer("notices of another company")
        return mapper.map_notices(
            [payloads.notice_of(record) for record in found],
            product=connection.product,
            version=self.mapping_version,
            capabilities=self.capabilities(connection.options),
            siren=siren,
        )


class BodaccProvider(ProviderBase):
    """See the port."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @override
    async def test(self) -> None:
        await self._page({"limit": "1"})

    @override
    async def search(self, company: CompanyRef) -> Sequence[Candidate]:
        siren = re.sub(r"\D", "", company.registration_number)
        where = (
            f'registre="{_siren(siren)}"' if siren else f'search(commercant, "{_quoted(company.name or "")}")'
        )
        answer = await self._page({"where": where, "limit": "20", "order_by": "dateparution desc"})
        found: dict[str, Candidate] = {}
        for record in json_object(answer.body).get("results") or []:
            for number in sorted(payloads.registers(record)):
                if (not siren or number == siren) and number not in found:
                    found[number] = Candidate(
                        number, text(record.get("commercant")) or number, number, "FR", city=text(record.get("ville")),
                        postal_code=text(record.get("cp")), exact=number == siren,
                    )  # fmt: skip
        return sorted(found.values(), key=lambda one: not one.exact)

    @override
    async def fetch(self, company: CompanyRef) -> tuple[RawAnswer, ...]:
        """All notices of a company, page by page."""
        siren = _siren(company.registration_number)
        where = f'registre="{siren}" and {_IN_FAMILIES}'
        pages: list[RawAnswer] = []
        offset = 0
        while True:
            answer = await self._page(
                {"where": where, "order_by": "dateparution desc", "limit": str(_PAGE), "offset": str(offset)},
                part=f"notices:{siren}:{offset}",
            )
            pages.append(answer)
            total = integer(json_object(answer.body).get("total_count"))
            offset += _PAGE
            if total is None or offset >= min(total, _DEEPEST):
                return tuple(pages)

    @override
    async def events(self, since: str | None, cursor: str | None = None) -> EventPage:
        """Notices of the whole market published since the mark, that day included (issues appear during the day)."""
        if since is None:
            latest = json_object((await self._page({"limit": "1", "order_by": "dateparution desc"})).body)
            return EventPage((), None, text(at(latest, "results", 0, "dateparution")))
        start, _, offset = (cursor or f"{date.fromisoformat(since)}:0").partition(":")
        answer = await self._page(
            {
                "where": f"dateparution >= date'{start}' and {_IN_FAMILIES}",
                "order_by": "dateparution, id",
                "limit": str(_PAGE),
                "offset": offset,
            }
        )
        document = json_object(answer.body)
        events = tuple(event for record in document.get("results") or [] for event in _events(record))
        until = max((event.occurred_on.isoformat() for event in events if event.occurred_on), default=start)
        following = int(offset) + _PAGE
        if following >= (integer(document.get("total_count")) or 0):
            return EventPage(events, None, until)
        if following < _DEEPEST:
            return EventPage(events, f"{start}:{following}", until)
        if until == start:
            raise Rejected("more notices on one day than the API lets through")
        return EventPage(events, f"{until}:0", until)  # deeper than the API goes: begin again at that day

    async def _page(self, params: Mapping[str, str], part: str = "page") -> RawAnswer:
        answer = await self._wire.ask("GET", _PATH, params=params, headers={"accept": "application/json"})
        check(answer)
        return self._wire.keep(part, "GET", _PATH, answer, params=params)


def _events(record: Mapping[str, Any]) -> list[ProviderEvent]:
    notice = payloads.notice_of(record)
    kind: EventKind = "state" if notice.family.startswith("radiation") else "legal"
    return [
        ProviderEvent(
            id=f"{notice.source_id}:{siren}", kind=kind, code=notice.type.value, registration_number=siren,
            provider_reference=siren, occurred_on=notice.published_on, new=notice.nature,
        )
        for siren in sorted(payloads.registers(record))
    ]  # fmt: skip


def _siren(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    if len(digits) not in (9, 14):
        raise Rejected("BODACC knows French companies only: expected a SIREN")
    return digits[:9]


def _quoted(name: str) -> str:
    return re.sub(r'["\\\\]', " ", name)[:100]
