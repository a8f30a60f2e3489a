"""The OpenAPI document, the reference portal and the pages of problem codes, without a key and without the internet."""

import html
import re
from functools import cache
from pathlib import Path

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from libs.contracts.events import CATALOGUE, POSTED_ONLY
from libs.kit.problems import not_found, problem_response
from libs.kit.runtime import Runtime

_PAGES = Path(__file__).resolve().parents[1] / "portal"
_MEDIA = {
    "index.html": "text/html",
    "portal.js": "text/javascript",
    "portal.css": "text/css",
    "icon.svg": "image/svg+xml",
}
#: The pages load nothing from anywhere else, and nobody frames them.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "public, max-age=300",
}
_EVERYBODY = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
_CODE = re.compile(r"[a-z][a-z0-9_]{1,63}")


def install(app: FastAPI) -> None:
    """Serve `/docs`, `/openapi.json`, `/openapi/events/…` and `/problems/…`."""
    app.add_route("/openapi.json", _document, include_in_schema=False)
    app.add_route("/openapi/events/{name}", _event_schema, include_in_schema=False)
    app.add_route("/docs", _portal, include_in_schema=False)
    app.add_route("/docs/{name}", _portal, include_in_schema=False)
    app.add_route("/problems/", _problems, include_in_schema=False)
    app.add_route("/problems/{code}", _problem, include_in_schema=False)


async def _document(request: Request) -> Response:
    return Response(_committed(request, "gateway.json"), media_type="application/json", headers=_EVERYBODY)


async def _event_schema(request: Request) -> Response:
    name = request.path_params["name"]
    if name.removesuffix(".schema.json") not in CATALOGUE | POSTED_ONLY:
        return problem_response(not_found("event schema", name))
    text = _committed(request, f"events/{name.removesuffix('.schema.json')}.schema.json")
    return Response(text, media_type="application/schema+json", headers=_EVERYBODY)


async def _portal(request: Request) -> Response:
    name = request.path_params.get("name", "index.html")
    if name not in _MEDIA:
        return problem_response(not_found("page", name))
    return Response(_page(name), media_type=_MEDIA[name], headers=_HEADERS)


async def _problems(request: Request) -> Response:
    links = "".join(f'<li><a href="/problems/{code}"><code>{code}</code></a>' for code in sorted(_meanings()))
    return _html("Codes of refusals", f"<h1>Codes of refusals</h1><ul>{links}</ul>")


async def _problem(request: Request) -> Response:
    code = request.path_params["code"]
    if not _CODE.fullmatch(code):
        return problem_response(not_found("problem", "of this code"))
    meaning = _meanings().get(code, "The `detail` and `errors` of the answer say what to mend.")
    shown = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(meaning))
    title = code.replace("_", " ").capitalize()
    body = (
        f"<h1>{title}</h1><p><code>{code}</code></p><p>{shown}</p><p><a href='/problems/'>All codes</a></p>"
    )
    return _html(title, body)


def _html(title: str, body: str) -> Response:
    links = "<link rel=icon href=/docs/icon.svg><link rel=stylesheet href=/docs/portal.css>"
    head = f"<meta charset=utf-8><title>{title}</title>{links}"
    page = f"<!doctype html><html lang=en>{head}<main>{body}</main></html>"
    return HTMLResponse(page, headers=_HEADERS)


def _committed(request: Request, name: str) -> bytes:
    runtime: Runtime = request.app.state.runtime
    return (runtime.settings.openapi_dir / name).read_bytes()


@cache
def _page(name: str) -> bytes:
    return (_PAGES / name).read_bytes()


@cache
def _meanings() -> dict[str, str]:
    return msgspec.json.decode((_PAGES / "problems.json").read_bytes(), type=dict[str, str])
