"""The check of every answer against the document finds what the document does not promise."""

import json
from typing import Any

import httpx
import pytest

from libs.testkit.contract import Contract

DOCUMENT: dict[str, Any] = {
    "paths": {
        "/v1/things/{id}": {
            "get": {
                "responses": {
                    "200": {
                        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}},
                            "text/csv": {},
                        },
                    },
                    "404": {"$ref": "#/components/responses/NotFound"},
                }
            },
            "delete": {"responses": {"204": {"description": "gone"}}},
        },
        "/v1/things/special": {"get": {"responses": {"200": {"content": {"text/plain": {}}}}}},
    },
    "components": {
        "headers": {"RequestId": {"required": True}},
        "responses": {"NotFound": {"content": {"application/problem+json": {"schema": {"type": "object"}}}}},
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "due_on"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "due_on": {"type": ["string", "null"], "format": "date"},
                    "part": {"$ref": "#/components/schemas/Part"},
                },
            },
            "Part": {"type": "object", "properties": {"name": {"type": "string"}}},
        },
    },
}
GOOD = {"id": "019a0000-0000-7000-8000-000000000001", "due_on": "2026-03-31"}


def answer(
    body: Any = GOOD, status: int = 200, path: str = "/v1/things/1", method: str = "GET", **headers: str
) -> httpx.Response:
    headers = {"x-request-id": "r", "content-type": "application/json; charset=utf-8", **headers}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = httpx.Request(method, f"http://house{path}")
    return httpx.Response(status, headers=headers, content=content, request=request)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(DOCUMENT)


@pytest.mark.parametrize(
    "response",
    [
        answer(),
        answer({**GOOD, "due_on": None, "part": {"name": "x"}}),
        answer(b"a;b", **{"content-type": "text/csv"}),
        answer({}, 404, **{"content-type": "application/problem+json"}),
        answer(b"", 204, method="DELETE"),
        answer(b"hello", path="/v1/things/special", **{"content-type": "text/plain"}),
        answer(b"", path="/health/live"),
        answer({}, 404, path="/v1/nothing"),
        answer({}, 405, method="PUT"),
    ],
)
def test_what_is_promised_passes(contract: Contract, response: httpx.Response) -> None:
    contract.check(response)


@pytest.mark.parametrize(
    ("response", "complaint"),
    [
        (answer({}, 409), "this status is not declared for /v1/things/{id}"),
        (answer({**GOOD, "due_on": "31.03.2026"}), "at /due_on: '31.03.2026' is not a 'date'"),
        (answer({**GOOD, "id": "1"}), "at /id: '1' is not a 'uuid'"),
        (answer({"id": GOOD["id"]}), "'due_on' is a required property"),
        (answer({**GOOD, "stray": 1}), "Additional properties are not allowed ('stray' was unexpected)"),
        (answer({**GOOD, "part": {"nmae": "x"}}), "at /part: Additional properties"),
        (answer(b"a;b", **{"content-type": "text/plain"}), "text/plain, declared are"),
        (answer(b"x", 204, method="DELETE"), "a body where none is declared"),
        (answer(path="/v1/nothing"), "the document knows no such operation"),
        (answer(path="/v1/things/special"), "application/json, declared are ['text/plain']"),
    ],
)
def test_what_is_not_promised_is_found(contract: Contract, response: httpx.Response, complaint: str) -> None:
    with pytest.raises(AssertionError) as found:
        contract.check(response)
    assert complaint in str(found.value)


def test_a_missing_header_is_found(contract: Contract) -> None:
    response = answer()
    del response.headers["x-request-id"]
    with pytest.raises(AssertionError, match="declared header X-Request-Id is missing"):
        contract.check(response)
