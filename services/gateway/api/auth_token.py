"""OAuth 2.0 client credentials (RFC 6749 §4.4): a key for a token that lives a quarter of an hour."""

import base64
import binascii
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote_plus
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from libs.kit.problems import Problem
from libs.kit.responses import reply
from services.gateway.access_tokens import LIFE
from services.gateway.proxy.credentials import ApiKey, CredentialsRefused, parse_key

router = APIRouter(prefix="/v1", tags=["Access"], generate_unique_id_function=lambda route: route.name)
_MAX_BODY = 8192
_UNCACHED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"const": "client_credentials"},
        "client_id": {"type": "string", "description": "the key's id; here or in the Basic header"},
        "client_secret": {"type": "string", "description": "the whole key, enc_…"},
        "scope": {"type": "string", "description": "separated by blanks; left out: all of the key's"},
    },
}


class AccessToken(BaseModel):
    """A token, for `Authorization: Bearer`."""

    access_token: str = Field(examples=["eyJhbGciOiJFZERTQSJ9.…"])
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="seconds", examples=[900])
    scope: str = Field(description="separated by blanks", examples=["ledger:read ledger:write"])


class TokenError(BaseModel):
    """A refusal as RFC 6749 §5.2 writes it."""

    error: Literal["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"]
    error_description: str = Field(examples=["expected grant_type=client_credentials"])


class _Refused(Exception):
    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        self.detail = detail


@router.post(
    "/auth/token",
    response_model=AccessToken,
    responses={400: {"model": TokenError}, 401: {"model": TokenError}},
    summary="Get an access token",
    openapi_extra={
        "x-scope": "",
        "security": [],
        "x-body-limit": _MAX_BODY,
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": _FORM}},
        },
    },
)
async def create_access_token(request: Request) -> Response:
    """Send the key as client_secret and its id as client_id, in the form or as HTTP Basic. The token does what the key may do
    and ends with it, or after 15 minutes. Repeating the call gives another token; no Idempotency-Key is needed."""
    failures = request.app.state.login_failures
    failures.require_patience(request.scope.get("client"))
    try:
        form = _form((await request.body())[: _MAX_BODY + 1], request.headers.get("content-type", ""))
        key, wanted = _client(request.headers.get("authorization"), form), form.get("scope")
        scopes = None if wanted is None else frozenset(wanted.split())
        token, granted = await request.app.state.identity.grant(key, scopes)
        if not granted:
            raise _Refused("invalid_scope", "the key holds none of these scopes")
    except (_Refused, Problem) as refused:
        answer = _refusal(refused)
        if answer.status_code == 401:
            failures.count(request.scope.get("client"))
        return answer
    body = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": int(LIFE.total_seconds()),
        "scope": " ".join(sorted(granted)),
    }
    return reply(body, headers=_UNCACHED)


def _form(body: bytes, media_type: str) -> dict[str, str]:
    if media_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise _Refused("invalid_request", "expected a body of application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=10)
    except ValueError:
        raise _Refused("invalid_request", "the form cannot be read") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise _Refused("invalid_request", "expected each parameter once")
    if "grant_type" not in form:
        raise _Refused("invalid_request", "expected grant_type=client_credentials")
    if form["grant_type"] != "client_credentials":
        raise _Refused("unsupported_grant_type", "expected grant_type=client_credentials")
    return form


def _client(header: str | None, form: dict[str, str]) -> ApiKey:
    """The key a client proves itself with. Two ways at once are refused (RFC 6749 §2.3)."""
    if header is not None and "client_secret" in form:
        raise _Refused("invalid_request", "expected the client's credentials in one place")
    name, secret = (
        _basic(header) if header is not None else (form.get("client_id"), form.get("client_secret"))
    )
    try:
        key = parse_key(secret or "")
        if name is None or UUID(name) != key.key_id:
            raise ValueError
    except (CredentialsRefused, ValueError):
        raise _Refused("invalid_client", "expected the id of a key and the key") from None
    return key


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise _Refused("invalid_client", "expected Authorization: Basic") from None
    return unquote_plus(name), unquote_plus(secret) if colon else ""


def _refusal(refused: _Refused | Problem) -> Response:
    if isinstance(refused, Problem):
        error, detail = "invalid_client", "the key is unknown, expired or revoked"
    else:
        error, detail = refused.error, refused.detail
    headers = {**_UNCACHED} | ({"WWW-Authenticate": "Basic"} if error == "invalid_client" else {})
    status = 401 if error == "invalid_client" else 400
    return reply({"error": error, "error_description": detail}, status, headers)
