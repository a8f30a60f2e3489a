"""What a request leaves behind: its id everywhere, one line in the log, one tree of spans, its numbers."""

import io
import json
import re
from typing import Any

import pytest
import structlog
from fastapi import Response
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.kit import logs, telemetry
from libs.kit.openapi import build
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from libs.testkit.clients import fresh_client
from libs.testkit.contract import Contract
from libs.testkit.toys import TABLES, consumer, producer

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.mark.parametrize("given", ["push-42", "a.b:c_d-e", "x" * 128])
async def test_a_sane_request_id_is_kept(toy_client, given: str) -> None:
    client = await toy_client()
    response = await client.get("/v1/things", headers={"x-request-id": given})
    assert response.headers["x-request-id"] == given
    refused = await client.get("/v1/things?unknown=1", headers={"x-request-id": given})
    assert refused.json()["request_id"] == given


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", "a\tb", 'a"b', "é"])
async def test_another_is_replaced(toy_client, given: str | None) -> None:
    client = await toy_client()
    headers = {} if given is None else {"x-request-id": given.encode("latin-1")}
    ids = [(await client.get("/v1/things", headers=headers)).headers["x-request-id"] for _ in range(2)]
    assert all(re.fullmatch("[0-9a-f]{24}", identifier) for identifier in ids)
    assert ids[0] != ids[1]


async def test_the_log_has_one_line_a_request_with_its_id_and_trace(toy_client) -> None:
    client = await toy_client()
    client.allow(500)
    stream = io.StringIO()
    before = structlog.get_config()
    logs.configure("ledger", "debug", "json")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
    try:
        headers = {"x-request-id": "push-42", "traceparent": PARENT}
        await client.post("/v1/things", json={"name": "bolt"}, headers=headers)
        await client.post("/v1/things", json={"name": "bolt", "fail": "crash"}, headers=headers)
    finally:
        structlog.configure(**before)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    ours = [line for line in lines if line.get("request_id") == "push-42"]
    answered = [line for line in ours if line["event"] == "answered"]
    assert [(line["method"], line["path"], line["status"]) for line in answered] == [
        ("POST", "/v1/things", 201), ("POST", "/v1/things", 500),
    ]  # fmt: skip
    (unexpected,) = [line for line in ours if line["event"] == "unexpected"]
    assert "RuntimeError" in unexpected["exception"]
    for line in [*answered, unexpected]:
        assert (line["service"], line["trace_id"]) == ("ledger", TRACE)
        assert {"level", "timestamp"} <= line.keys()


async def test_numbers_are_counted_by_route_not_by_path(toy_client) -> None:
    client = await toy_client()
    thing = (await client.post("/v1/things", json={"name": "bolt"})).json()
    await client.patch(f"/v1/things/{thing['id']}", json={"name": "nut"})
    text = (await client.get("/metrics")).text
    counted = re.findall(
        r'encours_requests_total\{method="PATCH",route="([^"]+)",service="ledger",status="200"\}', text
    )
    assert "/v1/things/{thing_id}" in counted  # beside what other tests of this process asked
    assert thing["id"] not in text
    assert 'encours_request_seconds_bucket{le="0.01",route="/v1/things",service="ledger"}' in text


router = Router("Asking")


@router.post("/asking", summary="Ask a peer", openapi_extra=scope("risk:write"))
async def ask_peer(ctx: Ctx) -> Response:
    """Call the ledger, then leave a chore to a job."""
    await ctx.runtime.peers.get("ledger", "/internal/feed/heads")
    await ctx.runtime.jobs.enqueue(
        "do_chore", str(ctx.caller.tenant.id), str(ctx.caller.tenant.id), service="ledger"
    )
    return reply({})


@pytest.fixture
def spans() -> Any:
    exporter = InMemorySpanExporter()
    telemetry.configure("test", None, SimpleSpanProcessor(exporter))
    yield exporter
    telemetry.shutdown()


async def test_one_tree_of_spans_from_service_to_service_to_job(
    make_stack, spans: InMemorySpanExporter
) -> None:
    stack = await make_stack(producer(), consumer(routers=[router]), tables=TABLES)
    client = await fresh_client(stack, "risk", Contract(build(stack.apps["risk"])))
    client.allow(200)
    spans.clear()
    response = await client.post("/v1/asking", headers={"traceparent": PARENT, "x-request-id": "push-42"})
    assert response.status_code == 200
    await client.settle()
    await client.aclose()
    ours = {
        span.name: span for span in spans.get_finished_spans() if f"{span.context.trace_id:032x}" == TRACE
    }
    assert set(ours) == {"POST /v1/asking", "GET /internal/feed/heads", "job do_chore"}
    asked = ours["POST /v1/asking"]
    assert parent(asked) == "b7ad6b7169203331"
    for caused in ("GET /internal/feed/heads", "job do_chore"):
        assert parent(ours[caused]) == f"{asked.context.span_id:016x}"


def parent(span: ReadableSpan) -> str:
    assert span.parent is not None
    return f"{span.parent.span_id:016x}"
