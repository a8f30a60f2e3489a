"""The demo: makes a sandbox tenant, pushes a portfolio into it as an ERP would, and prints the morning
report.

    python -m services.sandbox.demo

It goes through the gateway and knows nothing else. What it has done is kept in `.encours/demo.env` (mode
0600) beside the key; a second run finds the tenant there and only prints the report, a run that was cut off
is taken up again.
"""

import asyncio
import os
import shlex
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from libs.kit import clock
from services.sandbox.erp import Erp, ErpError, Pushed, connection, control_sums
from services.sandbox.morning_report import MorningFacts, morning_report
from services.sandbox.portfolio import Portfolio, UnitBook, generate

_STATE = Path(".encours/demo.env")
_TENANT = "Groupe Encours Démo"
_TIME_ZONE = "Europe/Paris"
_SOURCE = "erp-demo"
_MORNING = time(8, 30)
_SHOWN = 5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoState:
    """What the demo remembers between runs."""

    url: str
    api_key: str = ""
    loaded: bool = False
    run_id: str = ""

    @classmethod
    def read(cls, path: Path, url: str) -> "DemoState":
        """What was kept about the API at `url`; nothing when the file is absent or tells of another API."""
        if not path.exists():
            return cls(url)
        words = (word.partition("=") for word in shlex.split(path.read_text(encoding="utf-8"), comments=True))
        kept = {name: value for name, _, value in words}
        if kept.get("ENCOURS_URL") != url:
            return cls(url)
        loaded = kept.get("ENCOURS_DEMO_LOADED") == "1"
        return cls(url, kept.get("ENCOURS_API_KEY", ""), loaded, kept.get("ENCOURS_DEMO_RUN", ""))

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        kept = {
            "ENCOURS_URL": self.url,
            "ENCOURS_API_KEY": self.api_key,
            "ENCOURS_DEMO_LOADED": "1" if self.loaded else "0",
            "ENCOURS_DEMO_RUN": self.run_id,
        }
        path.write_text(
            "".join(f"{name}={shlex.quote(value)}\n" for name, value in kept.items()), encoding="utf-8"
        )


async def run(
    erp: Erp,
    state: DemoState,
    path: Path,
    bootstrap_key: str,
    say: Say,
    portfolio_of: Callable[[date], Portfolio] = generate,
) -> bool:
    """Make, load and report; True when nothing went wrong. Raises ErpError when there is no tenant to report
    on. `portfolio_of` makes what is loaded, as it stands on the tenant's day."""
    me = await _known_tenant(erp, state)
    if me is None:
        state = await _new_tenant(erp, state, bootstrap_key)
        state.write(path)
        me = await erp.with_key(state.api_key).get("/v1/me")
    manager = erp.with_key(state.api_key)
    whole = True
    if not state.loaded:
        loading = _Loading(manager, portfolio_of(date.fromisoformat(me["today"])), say)
        whole = await loading.everything()
        state = replace(state, loaded=whole, run_id=loading.run_id)
        state.write(path)
    say(morning_report(await _facts(manager, me, state, path)))
    return whole


async def _known_tenant(erp: Erp, state: DemoState) -> dict[str, Any] | None:
    """The tenant of the key that was kept, None when the key opens nothing any more."""
    if not state.api_key:
        return None
    try:
        return await erp.with_key(state.api_key).get("/v1/me")
    except ErpError as error:
        if error.status in {401, 403, 404}:
            return None
        raise


async def _new_tenant(erp: Erp, state: DemoState, bootstrap_key: str) -> DemoState:
    if not bootstrap_key:
        raise ErpError("no demo tenant yet and ENCOURS_BOOTSTRAP_KEY is not set: start with `make run`")
    morning = last_working_morning(clock.wall())
    made = await erp.with_key(bootstrap_key).create_once(
        "/v1/sandbox/tenants",
        {"name": _TENANT, "now": morning.isoformat(), "time_zone": _TIME_ZONE, "currency": "EUR"},
    )
    return DemoState(state.url, made["api_key"])


def last_working_morning(now: datetime) -> datetime:
    """Half past eight in Paris on the last French working day that has got that far: reminders leave on no
    other."""
    zone = ZoneInfo(_TIME_ZONE)
    local = now.astimezone(zone)
    day = local.date() if local.time() >= _MORNING else local.date() - timedelta(days=1)
    closed = holidays.country_holidays("FR", years=[day.year - 1, day.year])
    while day.weekday() >= 5 or day in closed:
        day -= timedelta(days=1)
    return datetime.combine(day, _MORNING, zone).astimezone(UTC)


# -- pushing
# ----------------------------------------------------------------------------------------------------------


class _Loading:
    """Everything an ERP and a credit manager would have done, stage by stage."""

    def __init__(self, erp: Erp, portfolio: Portfolio, say: Say) -> None:
        self._erp = erp
        self._portfolio = portfolio
        self._say = say
        self._units: dict[str, str] = {}
        self.run_id = ""

    async def everything(self) -> bool:
        """All stages in order; True when none failed. One that fails says why; what does not need it goes on."""
        stages: tuple[tuple[str, Callable[[], Awaitable[str]]], ...] = (
            ("business units", self._business_units),
            ("exchange rates", self._rates),
            ("customers", lambda: self._push("customers")),
            ("items", lambda: self._push("items")),
            ("payments", lambda: self._push("payments")),
            ("orders", lambda: self._push("orders")),
            ("groups", self._groups),
            ("credit limits", self._limits),
            ("reminders", self._reminders),
        )
        whole = True
        for name, stage in stages:
            try:
                self._say(f"demo: {name:<15} {await stage()}")
            except (ErpError, TimeoutError, KeyError) as error:
                whole = False
                self._say(f"demo: {name:<15} failed: {_in_words(error)}")
                if not self._units:
                    break
        return whole

    async def _business_units(self) -> str:
        for book in self._portfolio.books:
            body = {"code": book.unit.code, "name": book.unit.name}
            self._units[book.unit.code] = (await self._erp.post("/v1/business-units", body))["id"]
        return f"{len(self._units)} made"

    async def _rates(self) -> str:
        await self._erp.post("/v1/exchange-rates", {"data": self._portfolio.rates})
        return f"{len(self._portfolio.rates)} months of CHF in EUR"

    async def _push(self, kind: str) -> str:
        told = []
        for book in self._portfolio.books:
            rows: list[Mapping[str, Any]] = getattr(book, kind)
            sums = None if kind == "customers" else control_sums(rows)
            pushed = await self._erp.push(kind, self._units[book.unit.code], _SOURCE, rows, sums)
            _refuse_rejected(kind, book, pushed)
            told.append(f"{book.unit.code} {len(rows)}")
        return " · ".join(told)

    async def _groups(self) -> str:
        companies = await self._companies()
        for link in self._portfolio.parents:
            child, parent = _company_of(companies, link["child"]), _company_of(companies, link["parent"])
            await self._erp.put(f"/v1/companies/{child}/parent", {"parent_id": parent})
        return f"{len(self._portfolio.parents)} companies put under their parents"

    async def _limits(self) -> str:
        """Limits are asked for by one person and approved by another: nobody decides alone."""
        companies = await self._companies()
        asking, _ = await self._colleague("Claire Morel", "credit_manager", ["credit:read", "credit:request"])
        deciding, approver_id = await self._colleague(
            "Paul Girard", "approver", ["credit:read", "credit:approve"]
        )
        level = {"name": "Credit committee", "max_amount": "10000000.00", "currency": "EUR"}
        policy = {"levels": [level | {"user_ids": [approver_id]}], "routing": "first_with_authority"}
        await self._erp.put("/v1/approval-policy", policy)
        approved = pending = 0
        for position, wish in enumerate(self._portfolio.limit_wishes):
            company_id = _company_of(companies, (wish["unit"], wish["customer_external_id"]))
            wanted = {name: wish[name] for name in ("amount", "currency", "reason")}
            request = await asking.post("/v1/credit-limit-requests", {"company_id": company_id, **wanted})
            if request["state"] == "pending" and position % 5 == 4:
                pending += 1  # somebody has to have something left to decide
                continue
            if request["state"] == "pending":
                path = f"/v1/credit-limit-requests/{request['id']}/approve"
                await deciding.post(path, {"comment": "As proposed"})
            approved += 1
        return f"{approved} approved, {pending} waiting"

    async def _colleague(self, name: str, role: str, scopes: list[str]) -> tuple[Erp, str]:
        """A person and a key that acts as that person; a person who is there already is taken as found."""
        email = f"{name.lower().replace(' ', '.')}@example.com"
        try:
            user_id = (await self._erp.post("/v1/users", {"name": name, "email": email, "roles": [role]}))[
                "id"
            ]
        except ErpError as error:
            known = [user["id"] async for user in self._erp.pages("/v1/users") if user["email"] == email]
            if error.status != 409 or not known:
                raise
            user_id = known[0]
        body = {"name": f"Demo: {name}", "scopes": scopes, "user_id": user_id}
        key = await self._erp.create_once("/v1/api-keys", body)
        return self._erp.with_key(key["key"]), user_id

    async def _companies(self) -> dict[tuple[str, str], str]:
        """The company behind each account, by unit code and the ERP's own customer number."""
        codes = {unit_id: code for code, unit_id in self._units.items()}
        return {
            (codes[customer["business_unit_id"]], customer["external_id"]): _company_id(customer)
            async for customer in self._erp.pages("/v1/customers")
            if customer["business_unit_id"] in codes
        }

    async def _reminders(self) -> str:
        body = {"as_of": self._portfolio.today.isoformat(), "dry_run": False}
        self.run_id = (await self._erp.start("/v1/dunning-runs", body))["id"]
        counts = (await self._erp.get(f"/v1/dunning-runs/{self.run_id}")).get("counts") or {}
        return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing was due"


def _in_words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "took too long"
    return f"the answer lacks {error}" if isinstance(error, KeyError) else str(error)


def _refuse_rejected(kind: str, book: UnitBook, pushed: Pushed) -> None:
    rejected = pushed.counts.get("rejected", 0)
    if rejected:
        raise ErpError(f"{rejected} {kind} of {book.unit.code} rejected; the first: {pushed.first_error}")


def _company_of(companies: Mapping[tuple[str, str], str], account: tuple[str, str]) -> str:
    if account not in companies:
        raise ErpError(f"customer {account[1]} of {account[0]} is not there")
    return companies[account]


def _company_id(customer: Mapping[str, Any]) -> str:
    company = customer.get("company") or {}
    return str(customer.get("company_id") or company["id"])


# -- reading
# ----------------------------------------------------------------------------------------------------------


async def _facts(erp: Erp, me: Mapping[str, Any], state: DemoState, path: Path) -> MorningFacts:
    """Read every part of the report; one that cannot be read is told as missing and spoils no other."""
    facts = MorningFacts(
        tenant_name=me["tenant_name"],
        today=date.fromisoformat(me["today"]),
        url=state.url,
        api_key=state.api_key,
        key_file=str(path),
    )

    async def part(name: str, reading: Awaitable[Any]) -> Any:
        try:
            return await reading
        except ErpError as error:
            facts.missing[name] = str(error)
            return None

    facts.ageing = await part("ageing", erp.get("/v1/reports/ageing", by="total"))
    facts.dso = await part("dso", erp.get("/v1/reports/dso", method="count_back"))
    risks = await part("risks", erp.get("/v1/reports/risk", sort="-overdue", limit=8))
    facts.risks = risks["data"] if risks else None
    if state.run_id:
        facts.run = await part("run", erp.get(f"/v1/dunning-runs/{state.run_id}"))
    by_hand = await part("actions", _by_hand(erp))
    facts.actions = by_hand
    requests = await part("requests", erp.get("/v1/credit-limit-requests", state="pending", limit=_SHOWN))
    facts.requests = requests["data"] if requests else None
    return facts


async def _by_hand(erp: Erp) -> list[dict[str, Any]]:
    """What people have to do: the steps that do not send themselves, and those that cannot be sent as they stand."""
    found: list[dict[str, Any]] = []
    for state in ("due", "blocked"):
        found += (await erp.get("/v1/actions", state=state, limit=_SHOWN))["data"]
    return found


def main() -> int:
    """Run the demo as the environment says; 0 when all went well, 1 with one line on standard error
    otherwise."""
    port = os.environ.get("ENCOURS_PORT") or "8080"
    url = (os.environ.get("ENCOURS_URL") or f"http://127.0.0.1:{port}").rstrip("/")

    async def everything() -> bool:
        async with connection(url) as client:
            state = DemoState.read(_STATE, url)
            return await run(
                Erp(client, state.api_key), state, _STATE, os.environ.get("ENCOURS_BOOTSTRAP_KEY", ""), _say
            )

    try:
        return 0 if asyncio.run(everything()) else 1
    except ErpError as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _say(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
