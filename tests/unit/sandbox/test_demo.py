"""The demo against an API that remembers what it was told: everything once, resumed when cut off, one line
when refused."""

import json
import re
import stat
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.sandbox.demo import DemoState, last_working_morning, run
from services.sandbox.erp import Erp, ErpError, connection
from services.sandbox.morning_report import MorningFacts, morning_report

URL = "http://encours.test"
BOOTSTRAP = "operator"
TODAY = "2026-11-20"


class StandInApi:
    """Just enough of the public API, strict about what the demo has to get right: keys, totals, idempotency,
    four eyes."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.rows: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        self.keys: dict[str, str | None] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.units: dict[str, dict[str, Any]] = {}
        self.requests: dict[str, dict[str, Any]] = {}
        self.replies: dict[str, httpx.Response] = {}
        self.refuse: dict[str, httpx.Response] = {}
        self.tenants = 0

    def erp(self) -> Erp:
        return Erp(connection(URL, httpx.MockTransport(self.answer)), "")

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, key = request.url.path, request.headers["authorization"].removeprefix("Bearer ")
        for pattern, refusal in self.refuse.items():
            if re.fullmatch(pattern, f"{request.method} {path}"):
                return refusal
        if path == "/v1/sandbox/tenants":
            return self.new_tenant(request, key)
        if key not in self.keys:
            return problem(401, "key_unknown")
        idempotency = request.headers.get("idempotency-key")
        if idempotency and (known := self.replies.get(idempotency)):
            return known
        if request.method != "GET":
            self.writes.append(f"{request.method} {path}")
        body = request.read()
        answer = self.route(request.method, path, dict(request.url.params), body, key)
        if idempotency and answer.status_code < 300:
            self.replies[idempotency] = answer
        return answer

    def new_tenant(self, request: httpx.Request, key: str) -> httpx.Response:
        if key != BOOTSTRAP:
            return problem(401, "key_unknown")
        assert "idempotency-key" not in request.headers, "a replay would not show the key"
        self.tenants += 1
        self.keys["admin"] = None
        return httpx.Response(201, json={"tenant_id": "t", "api_key": "admin"})

    def route(self, method: str, path: str, query: dict[str, str], body: bytes, key: str) -> httpx.Response:
        match method, path.split("/")[2:]:
            case "GET", ["me"]:
                return httpx.Response(200, json={"tenant_name": "Groupe Encours Démo", "today": TODAY})
            case "POST", ["business-units"]:
                unit = json.loads(body)
                self.units[unit["code"]] = unit | {"id": f"unit-{unit['code']}"}
                return httpx.Response(201, json=self.units[unit["code"]])
            case "POST", ["imports"]:
                return self.take(query, body)
            case "GET", ["customers"]:
                return self.customer_page(query)
            case "POST", ["users"]:
                user = json.loads(body)
                if user["email"] in self.users:
                    return problem(409, "user_exists")
                self.users[user["email"]] = user | {"id": f"user-{len(self.users)}"}
                return httpx.Response(201, json=self.users[user["email"]])
            case "GET", ["users"]:
                return httpx.Response(200, json={"data": list(self.users.values()), "next_cursor": None})
            case "POST", ["api-keys"]:
                made = f"key-{len(self.keys)}"
                self.keys[made] = json.loads(body)["user_id"]
                return httpx.Response(201, json={"key": made})
            case "POST", ["credit-limit-requests"]:
                made = f"request-{len(self.requests)}"
                self.requests[made] = json.loads(body) | {
                    "id": made,
                    "state": "pending",
                    "by": self.keys[key],
                }
                return httpx.Response(201, json=self.requests[made])
            case "POST", ["credit-limit-requests", made, "approve"]:
                if self.keys[key] in {None, self.requests[made]["by"]}:
                    return problem(403, "own_request")
                self.requests[made]["state"] = "approved"
                return httpx.Response(200, json=self.requests[made])
            case "POST", ["dunning-runs"]:
                location = {"Operation-Location": "/v1/dunning-runs/run-1"}
                return httpx.Response(202, json={"id": "run-1", "status": "queued"}, headers=location)
            case "GET", ["dunning-runs", "run-1"]:
                if query:
                    return problem(422, "invalid")
                counts = {"customers": 90, "sent": 71}
                return httpx.Response(200, json={"status": "succeeded", "counts": counts})
            case "POST", ["exchange-rates"]:
                assert {"base", "quote", "valid_on", "rate"} == json.loads(body)["data"][0].keys()
                return httpx.Response(200, json={"received": len(json.loads(body)["data"])})
            case "PUT", [*_]:
                return httpx.Response(200, json={})
            case "GET", ["reports", "ageing"]:
                amounts = {"not_due": "80.00", "1-30": "15.00", "91-180": "5.00", "unallocated": "-2.00"}
                row = {"currency": "EUR", "outstanding": "98.00", "amounts": amounts}
                return httpx.Response(200, json={"data": [row]})
            case _:
                return problem(404, "not_found")

    def take(self, query: dict[str, str], body: bytes) -> httpx.Response:
        rows = [json.loads(line) for line in body.splitlines()]
        assert int(query["control_count"]) == len(rows)
        kept = self.rows.setdefault(query["kind"], {})
        if query["kind"] in {"payments", "orders"}:
            customers = self.rows["customers"]
            assert all((query["business_unit_id"], row["customer_external_id"]) in customers for row in rows)
        for row in rows:
            kept[query["business_unit_id"], row["external_id"]] = row
        counts = {"received": len(rows), "created": len(rows), "rejected": 0}
        return httpx.Response(200, json={"id": "i", "status": "completed", "counts": counts, "errors": []})

    def customer_page(self, query: dict[str, str]) -> httpx.Response:
        made = sorted(self.rows.get("customers", {}))
        start = int(query.get("cursor", 0))
        end = start + int(query["limit"])
        page = [
            {"business_unit_id": unit, "external_id": key, "company": {"id": f"company-of-{key}"}}
            for unit, key in made[start:end]
        ]
        return httpx.Response(200, json={"data": page, "next_cursor": str(end) if end < len(made) else None})


def problem(status: int, code: str, **more: object) -> httpx.Response:
    body = {"status": status, "code": code, "title": code.replace("_", " "), **more}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


class Told:
    """What the demo said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, text: str) -> None:
        self.lines += text.splitlines()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


async def demo(api: StandInApi, path: Path) -> tuple[bool, Told]:
    told = Told()
    whole = await run(api.erp(), DemoState.read(path, URL), path, BOOTSTRAP, told)
    return whole, told


async def test_a_first_run_pushes_everything_and_a_second_nothing(tmp_path: Path) -> None:
    api, path = StandInApi(), tmp_path / ".encours" / "demo.env"
    whole, told = await demo(api, path)
    assert whole, told.text
    assert {kind: len(rows) for kind, rows in api.rows.items()}["customers"] == 300
    assert api.rows.keys() == {"customers", "items", "payments", "orders"}
    states = [request["state"] for request in api.requests.values()]
    assert (states.count("approved"), states.count("pending")) == (32, 8)
    assert "71 reminders sent" in told.text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "ENCOURS_API_KEY=admin\n" in path.read_text()
    assert f"ENCOURS_URL={URL}\n" in path.read_text()

    written = len(api.writes)
    whole, again = await demo(api, path)
    assert whole
    assert len(api.writes) == written
    assert api.tenants == 1
    assert "71 reminders sent" in again.text


async def test_a_run_that_was_cut_off_is_taken_up_and_doubles_nothing(tmp_path: Path) -> None:
    api, path = StandInApi(), tmp_path / "demo.env"
    api.refuse[r"POST /v1/credit-limit-requests.*"] = problem(500, "internal", detail="out of order")
    whole, told = await demo(api, path)
    assert not whole
    assert "credit limits   failed: POST /v1/credit-limit-requests: 500 internal out of order" in told.text
    assert "71 reminders sent" in told.text, "what does not need the limits goes on"
    assert "ENCOURS_DEMO_LOADED=0" in path.read_text()

    api.refuse.clear()
    written = len(api.writes)
    whole, _ = await demo(api, path)
    assert whole
    assert api.tenants == 1
    assert not any("imports" in write for write in api.writes[written:]), "the pushes were replays"
    assert len(api.users) == 2
    assert len(api.requests) == 40


async def test_a_key_that_opens_nothing_makes_a_new_tenant(tmp_path: Path) -> None:
    path = tmp_path / "demo.env"
    DemoState(URL, "gone", loaded=True).write(path)
    api = StandInApi()
    whole, _ = await demo(api, path)
    assert whole
    assert api.tenants == 1
    assert "ENCOURS_API_KEY=admin\n" in path.read_text()


async def test_a_key_for_another_address_is_not_tried(tmp_path: Path) -> None:
    path = tmp_path / "demo.env"
    DemoState("http://elsewhere.test", "theirs", loaded=True).write(path)
    assert DemoState.read(path, URL) == DemoState(URL)


async def test_without_an_operator_key_there_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "demo.env"
    with pytest.raises(ErpError, match="ENCOURS_BOOTSTRAP_KEY is not set: start with `make run`"):
        await run(StandInApi().erp(), DemoState(URL), path, "", Told())


async def test_rejected_rows_are_not_passed_over(tmp_path: Path) -> None:
    api = StandInApi()
    errors = [{"row": 3, "pointer": "/amount", "code": "amount_invalid", "detail": "expected a decimal"}]
    counts = {"received": 10, "rejected": 2}
    api.refuse["POST /v1/imports"] = httpx.Response(
        200, json={"id": "i", "status": "completed", "counts": counts, "errors": errors}
    )
    whole, told = await demo(api, tmp_path / "demo.env")
    assert not whole
    assert (
        "2 items of lyon rejected; the first: row 3/amount: amount_invalid, expected a decimal" in told.text
    )


async def test_nothing_answering_is_one_line() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ErpError, match=r"nothing answers at http://encours\.test: is it running\?"):
        await Erp(connection(URL, httpx.MockTransport(refuse)), "k").get("/v1/me")


async def test_too_fast_and_still_starting_are_asked_again() -> None:
    answers = [
        httpx.Response(429, headers={"Retry-After": "0"}),
        problem(503, "starting"),
        problem(409, "idempotency_in_progress"),
        httpx.Response(201, json={"id": "1"}),
    ]
    for refusal in answers[:3]:
        refusal.headers["retry-after"] = "0"
    keys = set()

    def answer(request: httpx.Request) -> httpx.Response:
        keys.add(request.headers["idempotency-key"])
        return answers.pop(0)

    assert await Erp(connection(URL, httpx.MockTransport(answer)), "k").post("/v1/x", {"a": 1}) == {"id": "1"}
    assert len(keys) == 1, "the same request keeps its key"


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        ("2026-11-20T12:00:00", "2026-11-20T07:30:00"),
        ("2026-11-20T06:00:00", "2026-11-19T07:30:00"),
        ("2026-11-22T12:00:00", "2026-11-20T07:30:00"),
        ("2026-11-11T12:00:00", "2026-11-10T07:30:00"),
        ("2027-01-01T12:00:00", "2026-12-31T07:30:00"),
        ("2026-07-14T12:00:00", "2026-07-13T06:30:00"),
    ],
)
def test_the_demos_clock_stands_on_a_working_morning(now: str, morning: str) -> None:
    asked = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert last_working_morning(asked) == datetime.fromisoformat(morning).replace(tzinfo=UTC)


def full_facts() -> MorningFacts:
    amounts = {
        "not_due": "1300000.00",
        "1-30": "100000.00",
        "91-180": "20000.00",
        ">180": "5.55",
        "unallocated": "-9.00",
    }
    outstanding = str(sum(Decimal(amount) for amount in amounts.values()))
    risk = {
        "company": {"name": "Équipements Gridrian de la Très Longue Vallée SASU"},
        "currency": "EUR",
        "overdue": "45123.90",
        "outstanding": "131250.00",
        "limit": "120000.00",
        "limit_used_percent": "109.4",
    }
    action = {
        "due_on": TODAY,
        "channel": "call",
        "state": "due",
        "customer_id": "c1",
        "customer_name": "Équipements Gridrian de la Très Longue Vallée SASU",
        "amount": "45123.90",
        "currency": "EUR",
    }
    return MorningFacts(
        tenant_name="Groupe Encours Démo",
        today=datetime.fromisoformat(TODAY).date(),
        url=URL,
        api_key="enc_" + "x" * 110,
        key_file=".encours/demo.env",
        ageing={"data": [{"currency": "EUR", "outstanding": outstanding, "amounts": amounts}]},
        dso={"value": "54.31", "contractual": "42.1", "overdue": "12.2", "best_possible": "41.9"},
        risks=[risk, risk | {"limit": None, "limit_used_percent": None}],
        actions=[action, action | {"channel": "email", "state": "blocked", "reason": "no_contact"}],
        requests=[{"company_name": "Bâtiment Belmure SASU", "amount": "65000.00", "currency": "EUR"}],
        run={"counts": {"sent": 71, "to_confirm": 0, "skipped": 12}},
    )


def test_the_report_says_what_a_credit_manager_reads_first() -> None:
    text = morning_report(full_facts())
    assert "Friday 20 November 2026" in text
    assert re.search(r"EUR\s+1,419,996\.55\s+120,005\.55\s+8\.5%\s+20,005\.55", text)
    assert "DSO  54 days, count-back · contractual 42 · overdue 12 · best possible 42" in text
    assert re.search(r"Équipements Gridrian de … EUR\s+45,124\s+131,250\s+120,000\s+109%", text)
    assert "71 reminders sent · 12 skipped" in text
    assert re.search(r"2026-11-20 call\s+Équipements Gridrian de la Tr…\s+45,124 EUR", text)
    assert re.search(r"2026-11-20 find an address\s+Équipements Gridrian de la Tr…\s+45,124 EUR", text)
    assert re.search(r"2026-11-20 approve a limit\s+Bâtiment Belmure SASU\s+65,000 EUR", text)


def test_the_report_fits_eighty_columns_but_for_the_key() -> None:
    for line in morning_report(full_facts()).splitlines():
        assert len(line) <= 80 or "enc_" in line


def test_a_part_that_could_not_be_read_spoils_no_other() -> None:
    facts = full_facts()
    facts.dso, facts.risks, facts.actions = None, None, None
    facts.missing = {"risks": "GET /v1/reports/risk: 503 risk is starting " + "x" * 90}
    text = morning_report(facts)
    assert "not available: GET /v1/reports/risk: 503 risk is starting" in text
    assert text.count("not available") == 3
    assert "1,419,996.55" in text
    assert all(len(line) <= 80 or "enc_" in line for line in text.splitlines())
