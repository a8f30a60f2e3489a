"""What is the same in every document: the problem, its answers, headers, the credentials."""

from typing import Any

_REFUSALS = {
    "401": ("Unauthenticated", "No credentials, or bad ones.", "unauthenticated"),
    "403": ("Forbidden", "The credentials lack the scope, or the decision needs another name under it.", "scope_missing"),
    "404": ("NotFound", "Unknown, another tenant's, or outside the caller's perimeter: the three look alike.", "not_found"),
    "409": ("Conflict", "The object is in another state than the call expects, or the key was used before.", "invalid_state"),
    "412": ("PreconditionFailed", "The object has changed since the ETag in If-Match was read.", "precondition_failed"),
    "413": ("TooLarge", "The body is larger than this call takes.", "body_too_large"),
    "422": ("Invalid", "The request has values, members or parameters that are not acceptable; `errors` names each.", "invalid"),
    "429": ("TooManyRequests", "The rate limit is spent; `Retry-After` says for how many seconds.", "rate_limited"),
    "502": ("UpstreamLost", "The service broke off while it was answering; whether it acted is not known.", "upstream_lost"),
    "503": ("Unavailable", "Something the call needs is down, or behind; `Retry-After` says when to come again.", "busy"),
    "504": ("UpstreamSlow", "The service did not answer in time; whether it acted is not known.", "upstream_timeout"),
}  # fmt: skip
_HEADERS = {
    "RequestId": ("names this request in logs and problems; an inbound X-Request-Id is kept", "4f1c2b7a9e0d4c55", True),
    "ETag": ("version of the object, for If-Match", '"v3"', False),
    "Location": ("where the new object is", "/v1/customers/019a0000-0000-7000-8000-000000000001", True),
    "OperationLocation": ("where to follow the work", "/v1/operations/ledger.019a0000-0000-7000-8000-000000000002", True),
    "IdempotencyReplayed": ("`true` when this is the stored answer of an earlier, equal request", "true", False),
    "RetryAfter": ("seconds to wait", "2", False),
    "RateLimit": ("what is left of the limit, and seconds until it is whole again", '"default";r=599;t=60', False),
    "RateLimitPolicy": ("requests allowed in a window of seconds", '"default";q=600;w=60', False),
}  # fmt: skip

SCHEMAS: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "description": "An error as RFC 9457 has it. Further members depend on `code`.",
        "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
        "properties": {
            "type": {"type": "string", "description": "a page that explains the code", "examples": ["/problems/invalid"]},
            "title": {"type": "string", "description": "the kind of problem, for people", "examples": ["Invalid"]},
            "status": {"type": "integer", "description": "the HTTP status", "examples": [422]},
            "code": {"type": "string", "description": "stable, for programs", "examples": ["invalid"]},
            "detail": {"type": "string", "description": "what is wrong", "examples": ["The request has invalid values."]},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
            "request_id": {"type": "string", "description": "leads us to the logs", "examples": ["4f1c2b7a9e0d4c55"]},
        },
        "additionalProperties": True,
    },
    "FieldError": {
        "type": "object",
        "description": "One thing to mend.",
        "required": ["pointer", "code", "detail"],
        "properties": {
            "pointer": {
                "type": "string",
                "description": "JSON pointer into the body; `?name` for a query parameter, `header:Name`, `path:name`",
                "examples": ["/amount"],
            },
            "code": {"type": "string", "description": "stable, for programs", "examples": ["amount_too_precise"]},
            "detail": {"type": "string", "description": "what was expected", "examples": ["EUR has 2 decimals"]},
        },
        "additionalProperties": False,
    },
}  # fmt: skip

IDEMPOTENCY_KEY: dict[str, Any] = {"$ref": "#/components/parameters/IdempotencyKey"}


def header(name: str) -> dict[str, Any]:
    """A reference to a header."""
    return {"$ref": f"#/components/headers/{name}"}


def refusal(status: str) -> dict[str, Any]:
    """A reference to the answer of a status."""
    return {"$ref": f"#/components/responses/{_REFUSALS[status][0]}"}


def _response(status: str) -> dict[str, Any]:
    _, description, code = _REFUSALS[status]
    example = {
        "type": f"/problems/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": int(status),
        "code": code,
        "detail": description.replace("`", ""),
        "errors": [],
        "request_id": "4f1c2b7a9e0d4c55",
    }
    headers = {"X-Request-Id": header("RequestId")}
    if status in ("429", "503"):
        headers["Retry-After"] = header("RetryAfter")
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": schema, "example": example}}
    return {"description": description, "headers": headers, "content": content}


COMPONENTS: dict[str, Any] = {
    "responses": {_REFUSALS[status][0]: _response(status) for status in _REFUSALS},
    "headers": {
        name: {"description": text, "required": always, "schema": {"type": "string"}, "example": example}
        for name, (text, example, always) in _HEADERS.items()
    },
    "parameters": {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "Makes the call safe to repeat for 7 days: an equal request gets the stored 2xx answer, another"
            " request with the same key a 409.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "example": "erp-2026-03-31-000042",
        }
    },
    "securitySchemes": {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key (`enc_…`) or a JWT, as `Authorization: Bearer …`.",
        }
    },
}
