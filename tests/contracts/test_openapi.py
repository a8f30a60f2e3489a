"""The OpenAPI tool: what it makes complete, what it refuses, what it finds wanting."""

import copy
import json
import uuid
from typing import Annotated, Any, Literal

import pytest
from fastapi import Header, Path, Query, Response
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, ConfigDict, Field

from libs.contracts.events import CATALOGUE, POSTED_ONLY
from libs.contracts.money import Amount, AmountText
from libs.kit.app import build_app
from libs.kit.openapi import TwoOwners, build, files, merge
from libs.kit.openapi.event_schemas import event_schema
from libs.kit.openapi.examples import example_of
from libs.kit.openapi.lint import lint
from libs.kit.responses import reply
from libs.kit.route import INTERNAL, Ctx, Router, scope, streamed
from libs.testkit.toys import consumer, producer


class Order(BaseModel):
    """An order."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = Field(None, max_length=9, examples=["bolts"])
    amount: Amount
    kind: Literal["a", "b"] | None = None
    parts: list["Part"] = []


class Part(BaseModel):
    """A part of an order."""

    title: str = Field(examples=["bolt"])
    of: Order | None = None


class Ordered(BaseModel):
    """What was ordered."""

    id: uuid.UUID
    amount: AmountText
    note: str | None = Field(description="what the buyer said")


router = Router("Orders")
OrderId = Annotated[str, Path(description="the order's id")]


@router.post(
    "/orders",
    status_code=201,
    response_model=Ordered,
    summary="Place an order",
    openapi_extra=scope("ledger:write"),
)
async def place_order(ctx: Ctx, body: Order) -> Response:
    """Place it."""
    return reply({})


@router.get(
    "/orders/{order_id}", response_model=Ordered, summary="Show an order", openapi_extra=scope("ledger:read")
)
async def get_order(
    ctx: Ctx,
    order_id: OrderId,
    q: Annotated[str | None, Query(max_length=5, description="a part of its name", examples=["bo"])] = None,
    if_match: Annotated[str | None, Header(description="the ETag that was read")] = None,
) -> Response:
    """Show it."""
    return reply({})


@router.post(
    "/orders/bulk",
    status_code=202,
    response_model=Ordered,
    summary="Place many",
    openapi_extra=streamed("ledger:write"),
)
async def place_orders(ctx: Ctx) -> Response:
    """Place them."""
    return reply({})


@router.delete(
    "/orders/{order_id}", status_code=204, summary="Forget an order", openapi_extra=scope("ledger:write")
)
async def delete_order(ctx: Ctx, order_id: OrderId) -> Response:
    """Forget it."""
    return Response(status_code=204)


hidden = Router("Hidden", prefix="/internal")


@hidden.get("/orders", openapi_extra=scope(INTERNAL))
async def count_orders(ctx: Ctx) -> Response:
    """Count."""
    return reply({})


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build(build_app(producer(routers=[router, hidden])))


def operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path][method]
    return found


def test_it_is_a_valid_document_and_has_no_complaints(document) -> None:
    assert document["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert lint(document) == []


def test_internal_paths_are_left_out(document) -> None:
    assert [path for path in document["paths"] if "internal" in path] == []


def test_every_refusal_is_declared_as_a_problem(document) -> None:
    common = {"401", "403", "422", "429", "503"}
    assert set(operation(document, "post", "/v1/orders")["responses"]) == common | {
        "201",
        "404",
        "409",
        "413",
    }
    assert set(operation(document, "get", "/v1/orders/{order_id}")["responses"]) == common | {
        "200",
        "404",
        "412",
    }
    assert set(operation(document, "delete", "/v1/orders/{order_id}")["responses"]) == common | {
        "204",
        "404",
        "409",
    }
    for name, answer in document["components"]["responses"].items():
        assert answer["content"]["application/problem+json"]["schema"] == {
            "$ref": "#/components/schemas/Problem"
        }, name
    assert "HTTPValidationError" not in json.dumps(document)


def test_headers_and_security_are_said(document) -> None:
    placed = operation(document, "post", "/v1/orders")
    assert placed["security"] == [{"bearer": ["ledger:write"]}]
    assert "ledger:write" in placed["description"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in placed["parameters"]
    assert {"X-Request-Id", "Location", "Idempotency-Replayed"} <= placed["responses"]["201"][
        "headers"
    ].keys()
    assert (
        "Operation-Location" in operation(document, "post", "/v1/orders/bulk")["responses"]["202"]["headers"]
    )
    shown = operation(document, "get", "/v1/orders/{order_id}")
    assert "ETag" in shown["responses"]["200"]["headers"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} not in shown["parameters"]


def test_null_is_a_type_and_parameters_are_never_null(document) -> None:
    order = document["components"]["schemas"]["Order"]["properties"]
    assert order["name"] == {"type": ["string", "null"], "maxLength": 9, "examples": ["bolts"]}
    assert order["kind"] == {"type": ["string", "null"], "enum": ["a", "b", None]}
    part = document["components"]["schemas"]["Part"]["properties"]
    assert part["of"] == {"anyOf": [{"$ref": "#/components/schemas/Order"}, {"type": "null"}]}
    assert part["title"] == {"type": "string", "examples": ["bolt"]}  # a member called title is no title
    (q,) = [
        p for p in operation(document, "get", "/v1/orders/{order_id}")["parameters"] if p.get("name") == "q"
    ]
    assert q["schema"] == {"type": "string", "maxLength": 5}
    assert (q["example"], q["description"]) == ("bo", "a part of its name")


def test_examples_are_composed_and_fit(document) -> None:
    body = operation(document, "post", "/v1/orders")["requestBody"]["content"]["application/json"]
    assert body["example"]["name"] == "bolts"
    assert body["example"]["amount"] == "1234.56"
    answer = operation(document, "post", "/v1/orders")["responses"]["201"]["content"]["application/json"][
        "example"
    ]
    assert answer == {"id": "019a0000-0000-7000-8000-000000000001", "amount": "1234.56", "note": "text"}


def test_tags_are_described_by_their_module(document) -> None:
    described = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert (
        described["Orders"]
        == "The OpenAPI tool: what it makes complete, what it refuses, what it finds wanting."
    )
    assert "Internal" not in described


def test_one_path_twice_is_refused() -> None:
    twin = Router("Twin")
    twin.add_api_route(
        "/orders", place_orders, methods=["POST"], name="x", openapi_extra=scope("ledger:write")
    )
    with pytest.raises(ValueError, match="have the same POST /v1/orders"):
        build(build_app(producer(routers=[router, twin])))


def test_one_operation_id_twice_is_refused() -> None:
    twin = Router("Twin")
    twin.add_api_route("/twins", place_order, methods=["POST"], openapi_extra=scope("ledger:write"))
    with pytest.raises(
        ValueError, match="POST /v1/twins and POST /v1/orders have the same operation id place_order"
    ):
        build(build_app(producer(routers=[router, twin])))


# -- the lint -------------------------------------------------------------------------------------------------------


def broken(document: dict[str, Any], change) -> list[str]:
    spoilt = copy.deepcopy(document)
    change(spoilt)
    return lint(spoilt)


FAULTS = {
    "is not verb_noun": lambda d: operation(d, "post", "/v1/orders").update(operationId="order"),
    "it has no summary": lambda d: operation(d, "post", "/v1/orders").update(summary="Place Order"),
    "it has no description": lambda d: operation(d, "post", "/v1/orders").update(
        description="\n\nNeeds the scope `ledger:write`."
    ),
    "it has no tag": lambda d: operation(d, "post", "/v1/orders").pop("tags"),
    "does not say which scope": lambda d: operation(d, "post", "/v1/orders").pop("x-scope"),
    "the parameter q has neither": lambda d: [
        operation(d, "get", "/v1/orders/{order_id}")["parameters"][1].pop(part)
        for part in ("description", "example")
    ],
    "declares no body": lambda d: operation(d, "post", "/v1/orders")["responses"]["201"].pop("content"),
    "no schema (response_model)": lambda d: operation(d, "post", "/v1/orders")["responses"]["201"]["content"][
        "application/json"
    ].update(schema={}),
    "it has no example": lambda d: operation(d, "post", "/v1/orders")["requestBody"]["content"][
        "application/json"
    ].pop("example"),
    "example does not fit": lambda d: operation(d, "post", "/v1/orders")["requestBody"]["content"][
        "application/json"
    ].update(example={"amount": "much"}),
    "note has neither description": lambda d: d["components"]["schemas"]["Ordered"]["properties"]["note"].pop(
        "description"
    ),
    "declares no 409": lambda d: operation(d, "post", "/v1/orders")["responses"].pop("409"),
}


@pytest.mark.parametrize("complaint", FAULTS)
def test_the_lint_finds(document, complaint: str) -> None:
    assert any(complaint in found for found in broken(document, FAULTS[complaint])), complaint


def test_the_lint_asks_the_specification_too(document) -> None:
    def misspell(d: dict[str, Any]) -> None:
        d["info"].pop("title")

    assert '/info: "title" is a required property' in broken(document, misspell)


# -- the merged document --------------------------------------------------------------------------------------------


def test_merging_gives_one_valid_document_with_webhooks(document) -> None:
    merged = merge({"ledger": document, "risk": build(build_app(consumer()))}, "1.0")
    assert list(OpenAPIV31SpecValidator(merged).iter_errors()) == []
    assert lint(merged) == []
    assert {"/v1/orders", "/v1/operations/{operation_id}"} <= merged["paths"].keys()
    assert set(merged["webhooks"]) == set(CATALOGUE | POSTED_ONLY)
    placed = merged["paths"]["/v1/orders"]["post"]["responses"]
    assert {"502", "504"} <= placed.keys()
    assert {"RateLimit", "RateLimit-Policy"} <= placed["201"]["headers"].keys()


def test_two_owners_of_one_path_are_refused(document) -> None:
    other = Router("Other")
    other.add_api_route(
        "/orders/{another_name}",
        place_orders,
        methods=["GET"],
        name="find_order",
        openapi_extra=scope("risk:read"),
    )
    with pytest.raises(TwoOwners, match=r"GET /v1/orders/\{\} belongs to ledger and to risk"):
        merge({"ledger": document, "risk": build(build_app(consumer(routers=[other])))}, "1.0")


def test_two_owners_of_one_operation_id_are_refused(document) -> None:
    other = Router("Other")
    other.add_api_route(
        "/elsewhere", place_orders, methods=["POST"], name="place_order", openapi_extra=scope("risk:read")
    )
    with pytest.raises(TwoOwners, match="operation id place_order belongs to ledger and to risk"):
        merge({"ledger": document, "risk": build(build_app(consumer(routers=[other])))}, "1.0")


def test_schemas_of_one_name_stay_two(document) -> None:
    class Ordered(BaseModel):
        """Put in order."""

        rank: int

    other = Router("Other")
    other.add_api_route(
        "/ranks",
        place_orders,
        methods=["GET"],
        name="list_ranks",
        response_model=Ordered,
        openapi_extra=scope("risk:read"),
    )
    merged = merge({"ledger": document, "risk": build(build_app(consumer(routers=[other])))}, "1.0")
    ranked = merged["paths"]["/v1/ranks"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert ranked == {"$ref": "#/components/schemas/RiskOrdered"}
    assert set(merged["components"]["schemas"]["RiskOrdered"]["properties"]) == {"rank"}
    assert "amount" in merged["components"]["schemas"]["Ordered"]["properties"]


# -- events ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_every_event_type_has_a_valid_schema_and_an_example_fits(event_type: str) -> None:
    schema = event_schema(event_type)
    Draft202012Validator.check_schema(schema)
    text = json.dumps(schema).replace("#/$defs/", "#/components/schemas/")
    whole = json.loads(text)
    example = example_of(whole, {"components": {"schemas": whole["$defs"]}})
    Draft202012Validator(schema).validate(example)
    with pytest.raises(Exception, match="Additional properties"):
        Draft202012Validator(schema).validate({**example, "data": {**example["data"], "stray": 1}})


def test_money_leaves_the_house_as_text() -> None:
    item = event_schema("item.changed")["$defs"]["ItemChanged"]["properties"]
    assert item["amount"] == {"type": "string", "format": "decimal"}
    assert item["tax_amount"] == {"type": ["string", "null"], "format": "decimal"}
    assert event_schema("balance.changed")["$defs"]["BalanceRow"]["properties"]["overdue"]["type"] == "string"
    assert (
        event_schema("balance.changed")["$defs"]["BalanceRow"]["properties"]["items_count"]["type"]
        == "integer"
    )


# -- the committed files --------------------------------------------------------------------------------------------


def test_drift_is_found_and_strays_are_removed(tmp_path) -> None:
    made = files.generate()
    assert {"gateway.json", "ledger.json", "events/item.changed.schema.json"} <= made.keys()
    files.write(tmp_path, made)
    assert files.check(tmp_path, made) == []
    (tmp_path / "ledger.json").write_text("{}")
    (tmp_path / "events" / "old.schema.json").write_text("{}")
    assert files.check(tmp_path, made) == [
        "events/old.schema.json: nothing generates this file",
        "ledger.json: differs from the code; run `make openapi`",
    ]
    files.write(tmp_path, made)
    assert files.check(tmp_path, made) == []
