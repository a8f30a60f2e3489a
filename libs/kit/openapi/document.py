"""One service's OpenAPI 3.1 document: FastAPI's, with what every route of the house does besides."""

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from libs.kit.openapi import standard
from libs.kit.openapi.examples import add_examples
from libs.kit.openapi.tidy import tidy
from libs.kit.route import SCOPE, SHOWN_ONCE

METHODS = ("get", "post", "put", "patch", "delete")


def build(app: FastAPI) -> dict[str, Any]:
    """The document of an application. `/internal` is left out; two routes with one operation id raise ValueError."""
    routes = [route for route in iter_route_contexts(app.routes) if _is_public(route)]
    _refuse_twins(routes)
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=app.description,
        routes=routes,
    )
    tidy(document)
    for path, method, operation in operations(document):
        _complete(path, method, operation)
        _let_replays_leave_out(operation, document)
    document.setdefault("components", {})
    document["components"].setdefault("schemas", {}).update(standard.SCHEMAS)
    for name, part in standard.COMPONENTS.items():
        document["components"][name] = part
    document["tags"] = [{"name": tag, "description": text} for tag, text in sorted(_tags(routes).items())]
    document["security"] = [{"bearer": []}]
    add_examples(document)
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of a document."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    needed = operation.get(SCOPE)
    if needed:
        operation["security"] = [{"bearer": [needed]}]
        description = operation.get("description", "").rstrip()
        operation["description"] = f"{description}\n\nNeeds the scope `{needed}`.".lstrip()
    parameters = operation.setdefault("parameters", [])
    takes_if_match = any(p["in"] == "header" and p["name"].lower() == "if-match" for p in parameters)
    if method == "post":
        parameters.append(standard.IDEMPOTENCY_KEY)
    responses = operation["responses"]
    responses.pop("422", None)  # FastAPI's own shape, which nobody here answers
    for status, answer in responses.items():
        if status.startswith("2"):
            _complete_success(method, status, answer, takes_if_match)
    public = operation.get("security") == []
    for status in _refusals(path, method, operation, takes_if_match):
        if not (public and status in ("401", "403")):
            responses.setdefault(status, standard.refusal(status))
    operation["responses"] = dict(sorted(responses.items()))
    if not parameters:
        del operation["parameters"]


def _let_replays_leave_out(operation: dict[str, Any], document: dict[str, Any]) -> None:
    """A secret is shown once: the answer of a replay has the other members only."""
    for member in operation.get(SHOWN_ONCE, ()):
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                name = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                schema = document["components"]["schemas"][name]
                schema["required"] = [one for one in schema["required"] if one != member]


def _complete_success(method: str, status: str, answer: dict[str, Any], takes_if_match: bool) -> None:
    headers = answer.setdefault("headers", {})
    headers["X-Request-Id"] = standard.header("RequestId")
    if takes_if_match and status != "204":
        headers.setdefault("ETag", standard.header("ETag"))
    if status == "201":
        headers.setdefault("Location", standard.header("Location"))
    if status == "202":
        headers.setdefault("Operation-Location", standard.header("OperationLocation"))
    if method == "post":
        headers["Idempotency-Replayed"] = standard.header("IdempotencyReplayed")


def _refusals(path: str, method: str, operation: dict[str, Any], takes_if_match: bool) -> list[str]:
    statuses = ["401", "403", "422", "429", "503"]
    if "{" in path or method != "get":
        statuses.append("404")
    if method != "get":
        statuses.append("409")
    if takes_if_match:
        statuses.append("412")
    if "requestBody" in operation or operation.get("x-streamed"):
        statuses.append("413")
    return statuses


def _is_public(context: RouteContext) -> bool:
    route = context.original_route
    return (
        isinstance(route, APIRoute) and route.include_in_schema and not _path(context).startswith("/internal")
    )


def _path(context: RouteContext) -> str:
    return context.path_format or ""


def _tags(contexts: list[RouteContext]) -> dict[str, str]:
    """A tag is described by the module of its router: the first sentence of its docstring."""
    found: dict[str, str] = {}
    for context in contexts:
        route = context.original_route
        assert isinstance(route, APIRoute)
        module = sys.modules[route.endpoint.__module__]
        text = inspect.cleandoc(module.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        for tag in route.tags:
            found.setdefault(str(tag), text)
    return found


def _refuse_twins(contexts: list[RouteContext]) -> None:
    """FastAPI would let the second of two routes with one path or one operation id win."""
    seen: dict[str, str] = {}
    for context in contexts:
        route = context.original_route
        assert isinstance(route, APIRoute)
        for method in sorted(route.methods or ()):
            here = f"{method} {_path(context)}"
            for what in (here, f"operation id {route.unique_id}"):
                if what in seen:
                    raise ValueError(f"{here} and {seen[what]} have the same {what}")
                seen[what] = here
