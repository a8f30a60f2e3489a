"""Which web pages may call the API (the Fetch standard's CORS): those whose origin a tenant has listed, and no other.

A browser asks before it calls (a preflight), and then it shows no key: nobody can know the tenant. So a preflight is granted
to an origin that any tenant has listed, which tells nothing and opens nothing; the call itself, which has a key, is answered
for the page to read only if the key's own tenant has listed the origin. Credentials travel in `Authorization`, never in
cookies, so none are allowed for.
"""

from collections.abc import Iterable
from uuid import UUID

from services.gateway.proxy.connection import Header

_VARY: Header = (b"vary", b"Origin")
_READABLE = (
    b"ETag, Location, Operation-Location, X-Request-Id, Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After,"
    b" Content-Disposition, Content-Language, Deprecation, Sunset, Link"
)
_SENDABLE = (
    b"Authorization, Content-Type, Content-Encoding, Accept, Accept-Language, If-Match, If-None-Match, Idempotency-Key,"
    b" X-Request-Id, traceparent"
)
_PREFLIGHT_LIFE_S = b"600"


class Origins:
    """The origins tenants have listed."""

    def __init__(self) -> None:
        self._tenants_of: dict[bytes, frozenset[UUID]] = {}

    def learn(self, listed: Iterable[tuple[UUID, Iterable[str]]]) -> None:
        """Replace what is known by (tenant, origins)."""
        found: dict[bytes, set[UUID]] = {}
        for tenant_id, origins in listed:
            for origin in origins:
                found.setdefault(origin.encode("ascii"), set()).add(tenant_id)
        self._tenants_of = {origin: frozenset(tenants) for origin, tenants in found.items()}

    def headers(self, origin: bytes, tenant_id: UUID | None) -> list[Header]:
        """What lets a page of this origin read an answer to a tenant's call; to a call of nobody (None), any tenant's page."""
        tenants = self._tenants_of.get(origin)
        if tenants is None or (tenant_id is not None and tenant_id not in tenants):
            return [_VARY]
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _READABLE),
            _VARY,
        ]

    def preflight(self, origin: bytes, allow: str) -> list[Header]:
        """What a browser is told before a call; `allow` are the methods of the path."""
        if origin not in self._tenants_of:
            return [_VARY]
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-methods", allow.encode("ascii")),
            (b"access-control-allow-headers", _SENDABLE),
            (b"access-control-max-age", _PREFLIGHT_LIFE_S),
            (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
        ]


def is_preflight(headers: Iterable[Header]) -> bool:
    """Whether an OPTIONS request with an Origin is a browser's question before a call."""
    return any(name == b"access-control-request-method" for name, _ in headers)
