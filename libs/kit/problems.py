"""Errors as RFC 9457 problem+json: one shape everywhere, a stable `code`, pointers to what to mend, never an internal text."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from libs.kit import context
from libs.kit.strict_json import JsonRefused

log = structlog.get_logger(__name__)

_CODES = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing to mend: a JSON pointer into the body (`?name` for a query parameter), a stable code, what was expected."""

    pointer: str
    code: str
    detail: str


class Problem(Exception):
    """An expected refusal, raised anywhere below the HTTP layer and answered as problem+json.

    `extra` adds members to the answer (`existing_id`, `diff_hash` …); it must hold nothing secret.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = extra


def not_found(what: str, identifier: object = "") -> Problem:
    """404 for an unknown object, another tenant's, or one outside the caller's perimeter: the three look alike on purpose."""
    return Problem(404, "not_found", f"There is no {what} {identifier}.".replace(" .", "."))


def invalid(pointer: str, code: str, detail: str) -> Problem:
    """422 naming one field."""
    return Problem(
        422, "invalid", "The request has an invalid value.", errors=[FieldError(pointer, code, detail)]
    )


def problem_bytes(problem: Problem) -> bytes:
    """The body of a problem."""
    return msgspec.json.encode(
        {
            "type": f"/problems/{problem.code}",
            "title": problem.code.replace("_", " ").capitalize(),
            "status": problem.status,
            "code": problem.code,
            "detail": problem.detail,
            "errors": [asdict(error) for error in problem.errors],
            "request_id": context.request_id(),
            **problem.extra,
        }
    )


def problem_response(problem: Problem) -> Response:
    """The HTTP answer of a problem."""
    return Response(
        problem_bytes(problem), problem.status, headers=problem.headers, media_type="application/problem+json"
    )


def install(app: FastAPI) -> None:
    """Answer every error of an application as problem+json."""
    app.add_exception_handler(Problem, _expected)
    app.add_exception_handler(JsonRefused, _json_refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error)


async def _json_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, JsonRefused)
    detail = "The body is not acceptable JSON."
    return problem_response(
        Problem(422, error.code, detail, errors=[FieldError("", error.code, error.detail)])
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "error")
    detail = {404: "There is nothing at this path.", 405: "This path does not take this method."}.get(
        error.status_code, "The request was refused."
    )
    return problem_response(Problem(error.status_code, code, detail, headers=error.headers))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        FieldError(_pointer(item["loc"]), item["type"], _expected_text(item)) for item in error.errors()[:100]
    ]
    return problem_response(Problem(422, "invalid", "The request has invalid values.", errors=errors))


def _pointer(location: Sequence[str | int]) -> str:
    where, *rest = location
    if where == "body":
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in rest)
    name = ".".join(str(part) for part in rest)
    return {"query": "?", "header": "header:", "path": "path:"}.get(str(where), "") + name


def _expected_text(item: Mapping[str, Any]) -> str:
    """Pydantic's own message, which never holds the input; a custom one comes after a "Value error, " prefix."""
    return str(item["msg"]).removeprefix("Value error, ")


UNEXPECTED = Problem(
    500, "internal_error", "Something went wrong on our side; the request id leads us to it."
)
