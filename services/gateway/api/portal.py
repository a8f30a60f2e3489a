"""The OpenAPI document and the reference portal, without a key and without the internet."""

import html
from collections.abc import Iterator
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from libs.kit.runtime import Runtime

_VERBS = ("get", "post", "put", "patch", "delete")


def install(app: FastAPI) -> None:
    """Serve `/openapi.json` and `/docs`."""
    app.add_route("/openapi.json", _document, include_in_schema=False)
    app.add_route("/docs", _portal, include_in_schema=False)


async def _document(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    path = runtime.settings.openapi_dir / "gateway.json"
    return Response(
        path.read_bytes(), media_type="application/json", headers={"Access-Control-Allow-Origin": "*"}
    )


async def _portal(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    document = msgspec.json.decode((runtime.settings.openapi_dir / "gateway.json").read_bytes())
    return HTMLResponse("".join(_page(document)))


def _page(document: dict[str, Any]) -> Iterator[str]:
    yield f"<!doctype html><meta charset=utf-8><title>{html.escape(document['info']['title'])}</title>"
    for path, operations in document["paths"].items():
        for verb in _VERBS:
            if verb in operations:
                yield f"<p><b>{verb.upper()}</b> {html.escape(path)} {html.escape(operations[verb].get('summary', ''))}</p>"
