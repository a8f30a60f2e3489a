"""Scores & Decisions as far as it can be known.

Scores & Decisions publishes no wire format. What it supplies is known from its product page: the Indiscore out of 20 with its
trend, a recommended credit, the legal status, the NAF code, a link to its portal, and a portfolio. Where these stand in its
answers, the contract's documentation tells: a tenant writes it into the connection's options (`fetch`, `fields`, …). The
profile below is the shape of our own sandbox, so that everything else can be tried today.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from services.risk.providers.capabilities import Capabilities, Events, Portfolio, Rate, supplied
from services.risk.providers.declarative.client import Declarative, DeclarativeProvider
from services.risk.providers.facts import RawAnswer, Snapshot
from services.risk.providers.port import Connection, CredentialField, Flaw, Product, Transport

#: Of our sandbox, and nobody else's.
STAND_IN: Mapping[str, Any] = {
    "provider": "scores_decisions",
    "auth": {"kind": "bearer"},
    "as_of": "/dateNote",
    "fetch": {"company": {"path": "json/companies/${siren}"}},
    "fields": {
        "name": {"pointer": "/denomination"},
        "score": {"pointer": "/indiscore/note", "scale": {"min": 0, "max": 20, "better": "high"}},
        "trend": {
            "pointer": "/indiscore/evolution",
            "values": {"hausse": "up", "stable": "stable", "baisse": "down", "*": "unknown"},
        },
        "recommended_credit": {"pointer": "/encoursConseille/montant", "currency_pointer": "/encoursConseille/devise"},
        "legal_status": {
            "pointer": "/statutJuridique",
            "values": {
                "IN_BONIS": "none", "SVG": "safeguard", "RJ": "receivership", "LJ": "liquidation",
                "CLOT": "closed_insolvency", "RAD": "ceased", "*": "other_proceeding",
            },
        },
        "activity": {"pointer": "/naf"},
        "portal_url": {"pointer": "/lien"},
    },
    "search": {
        "call": {"path": "json/companies", "query": {"siren": "${siren}"}},
        "by_name": {"path": "json/companies", "query": {"name": "${name}"}},
        "rows": {"list": "/companies", "registration_number": "/siren", "reference": "/id", "name": "/label", "city": "/town"},
    },
    "add": {"method": "PUT", "path": "json/companies/${siren}/portfolio"},
    "remove": {"method": "DELETE", "path": "json/companies/${siren}/portfolio"},
    "members": {"call": {"path": "json/portfolio"}, "rows": {"list": "/members", "registration_number": "/siren"}},
    "changes": {
        "call": {"path": "json/changes", "query": {"since": "${since}"}},
        "rows": {"list": "/changes", "registration_number": "/siren"},
        "id": "/id", "kind": "/kind", "on": "/on",
    },
    "failures": [{"status": 409, "means": "already"}, {"status": 404, "means": "not_found"}],
    "portal_hosts": ["portail.example"],
    "countries": ["FR"],
}  # fmt: skip


class ScoresDecisions(Declarative):
    """Scores & Decisions: Indiscore out of 20 with its trend. Data source and contract holder may be Infolegale: the connection
    names each."""

    key = "scores_decisions"
    title = "Scores & Decisions"
    products = (Product("indiscore", "Indiscore"),)
    credentials = (
        CredentialField("user", "User", secret=False, required=False),
        CredentialField("token", "Token or password"),
    )
    mapping_version = 1
    unknown = (
        "Its wire format is not public: address, log-in, calls and the place of every field come from your contract's "
        "documentation, as options of the declarative adapter.",
        "How the trend and the legal status are worded: say it in `fields.trend.values` and `fields.legal_status.values`.",
    )

    @override
    def capabilities(self, options: Mapping[str, Any]) -> Capabilities:
        if options:
            return super().capabilities(options)
        return Capabilities(
            fields=supplied(
                "name", "score", "trend", "recommended_credit", "legal_status", "activity", "portal_url"
            ),
            search_by=("siren", "name"),
            countries=("FR",),
            auth="bearer",
            rate=Rate(5, 1, "configured"),
            portfolio=Portfolio(add=True, remove=True, list=True),
            events=Events(mode="pull", cursor="date"),
            portal_link=True,
        )  # fmt: skip

    @override
    def flaws(self, connection: Connection) -> list[Flaw]:
        if not connection.options and not connection.stand_in:
            said = "Scores & Decisions publishes no wire format: describe it from your contract (fetch, fields, …)."
            return [*self._address_flaws(connection), Flaw("/options", "missing", said)]
        return super().flaws(self._described(connection))

    @override
    def connect(self, connection: Connection, transport: Transport) -> DeclarativeProvider:
        return super().connect(self._described(connection), transport)

    @override
    def map(self, answers: Sequence[RawAnswer], connection: Connection) -> Snapshot:
        return super().map(answers, self._described(connection))

    def _described(self, connection: Connection) -> Connection:
        """A stand-in needs no description: it speaks a format of ours."""
        if connection.options or not connection.stand_in:
            return connection
        return Connection(
            connection.id,
            connection.product,
            connection.base_url,
            connection.credentials,
            STAND_IN,
            stand_in=True,
        )
