"""Internal tokens: who calls, for which tenant, and what they may do.

Two kinds of issuer. The gateway signs *user tokens* once it has checked a key or a foreign JWT; each service signs
*service tokens* with its own key, good for `/internal/*` only. Ed25519, because a service that holds only public halves
cannot make itself a user. A verified token is remembered until it expires: verification costs as much as a query.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from libs.kit import clock
from libs.kit.problems import Problem
from libs.kit.settings import SERVICES, ServiceName
from libs.kit.tenants import Tenant

TOKEN_LIFE = timedelta(minutes=5)
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a request is made for. `perimeter` holds business unit ids, None is all of them; a plain key has no `user_id`."""

    tenant: Tenant
    scopes: frozenset[str]
    subject: str
    key_id: UUID | None = None
    user_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    perimeter: tuple[UUID, ...] | None = None
    main_business_unit_id: UUID | None = None
    service: str | None = None
    claims: dict[str, Any] = field(default_factory=dict, compare=False)

    def may(self, scope: str) -> bool:
        """Whether the caller holds a scope; `admin` holds them all."""
        return scope in self.scopes or "admin" in self.scopes

    def require(self, scope: str) -> None:
        """Raise 403 `scope_missing` without the scope."""
        if not self.may(scope):
            raise Problem(403, "scope_missing", f"This call needs the scope {scope}.", required_scope=scope)

    def require_user(self) -> UUID:
        """The user in whose name a decision is taken. Raises 403 `user_required` for a key that is bound to nobody."""
        if self.user_id is None:
            raise Problem(
                403,
                "user_required",
                "This decision needs a name under it: use a key that is bound to a user.",
            )
        return self.user_id


class Keys:
    """The key pairs of the house: the private half of one issuer, the public halves of all."""

    def __init__(self, directory: Path, issuer: ServiceName) -> None:
        self.issuer = issuer
        private = load_pem_private_key((directory / f"{issuer}.key").read_bytes(), password=None)
        assert isinstance(private, Ed25519PrivateKey), "internal tokens are signed with Ed25519"
        self._private = private
        self._public: dict[str, Ed25519PublicKey] = {}
        for name in SERVICES:
            path = directory / f"{name}.pub"
            if path.exists():
                public = load_pem_public_key(path.read_bytes())
                assert isinstance(public, Ed25519PublicKey), "internal tokens are signed with Ed25519"
                self._public[name] = public
        self._remembered: dict[str, tuple[float, Caller]] = {}

    def sign_user(self, caller: Caller) -> str:
        """A user token, good for all services. Only the gateway's signature is believed on one."""
        tenant = caller.tenant
        return self._sign(
            {
                "sub": caller.subject,
                "aud": ["ledger", "risk", "credit", "dunning", "gateway", "sandbox"],
                "tid": str(tenant.id),
                "tz": tenant.time_zone,
                "cur": tenant.currency,
                "now": tenant.frozen_at.isoformat() if tenant.frozen_at else None,
                "scp": sorted(caller.scopes),
                "kid": str(caller.key_id) if caller.key_id else None,
                "uid": str(caller.user_id) if caller.user_id else None,
                "rol": sorted(caller.roles),
                "per": None if caller.perimeter is None else [str(unit) for unit in caller.perimeter],
                "bu": str(caller.main_business_unit_id) if caller.main_business_unit_id else None,
            }
        )

    def sign_service(self, audience: ServiceName) -> str:
        """A service token for one peer's `/internal/*`."""
        return self._sign({"sub": f"service:{self.issuer}", "aud": [audience]})

    def _sign(self, claims: dict[str, Any]) -> str:
        now = clock.wall()
        stamped = {**claims, "iss": self.issuer, "iat": now, "exp": now + TOKEN_LIFE}
        return jwt.encode(stamped, self._private, algorithm="EdDSA")

    def verify(self, token: str) -> Caller:
        """The caller a token speaks for. Raises 401 `invalid_token`."""
        known = self._remembered.get(token)
        now = clock.wall().timestamp()
        if known is not None and known[0] > now:
            return known[1]
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss", "")
            claims = jwt.decode(
                token,
                self._public[issuer],
                algorithms=["EdDSA"],
                audience=self.issuer,
                issuer=issuer,
                leeway=10,
            )
            caller = _service(claims) if claims["sub"].startswith("service:") else _user(claims)
        except (jwt.InvalidTokenError, KeyError, ValueError):
            raise Problem(
                401, "invalid_token", "The internal token is missing, expired or not ours."
            ) from None
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[token] = (float(claims["exp"]), caller)
        return caller


def _service(claims: dict[str, Any]) -> Caller:
    name = claims["iss"]
    if claims["sub"] != f"service:{name}":
        raise ValueError("a service speaks for itself only")
    return Caller(tenant=Tenant(UUID(int=0)), scopes=frozenset(), subject=claims["sub"], service=name)


def _user(claims: dict[str, Any]) -> Caller:
    if claims["iss"] != "gateway":
        raise ValueError("only the gateway speaks for users")
    frozen = claims.get("now")
    tenant = Tenant(
        id=UUID(claims["tid"]),
        time_zone=claims["tz"],
        currency=claims["cur"],
        frozen_at=datetime.fromisoformat(frozen) if frozen else None,
    )
    perimeter = claims.get("per")
    return Caller(
        tenant=tenant,
        scopes=frozenset(claims["scp"]),
        subject=claims["sub"],
        key_id=_uuid(claims.get("kid")),
        user_id=_uuid(claims.get("uid")),
        roles=frozenset(claims.get("rol", ())),
        perimeter=None if perimeter is None else tuple(UUID(unit) for unit in perimeter),
        main_business_unit_id=_uuid(claims.get("bu")),
        claims=claims,
    )


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None
