"""Answers built straight from rows: serialised once, by msgspec, without a second validation on the hot path.

The schema a route declares is its documentation and contract; tests check every answer against it.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from starlette.responses import Response


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):  # asyncpg's own subclass
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


_encoder = msgspec.json.Encoder(enc_hook=_plain, decimal_format="string")


def raw(text: str | None) -> msgspec.Raw | None:
    """A json or jsonb column's text, embedded without being parsed."""
    return None if text is None else msgspec.Raw(text.encode())


def json_bytes(content: Any) -> bytes:
    """JSON of plain values, UUIDs, dates and aware instants (UTC written as Z)."""
    return _encoder.encode(content)


def reply(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(json_bytes(content), status, headers=dict(headers or {}), media_type="application/json")
