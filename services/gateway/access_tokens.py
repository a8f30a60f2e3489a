"""Access tokens of the house: a quarter of an hour in the name of a key, for clients that speak OAuth.

Signed with the gateway's key but for another audience than the internal tokens, so that neither passes for the other.
They say which key they stand for; what that key may do is asked again when they are used.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from libs.kit import clock

LIFE = timedelta(minutes=15)
ISSUER = "encours"
_AUDIENCE = "encours-api"


class TokenRefused(Exception):
    """Not a token of ours, or one whose time is over."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for: a key, and the scopes asked for (None: all of the key's)."""

    tenant_id: UUID
    key_id: UUID
    scopes: frozenset[str] | None


class AccessTokens:
    """Issues and reads access tokens."""

    def __init__(self, keys_dir: Path) -> None:
        private = load_pem_private_key((keys_dir / "gateway.key").read_bytes(), password=None)
        assert isinstance(private, Ed25519PrivateKey), "the house signs with Ed25519"
        self._private = private
        self._public = private.public_key()

    def issue(self, tenant_id: UUID, key_id: UUID, scopes: Iterable[str] | None) -> str:
        """A token for a key whose secret was shown."""
        now = clock.wall()
        claims = {
            "iss": ISSUER, "aud": _AUDIENCE, "sub": f"key:{key_id}", "tid": str(tenant_id), "kid": str(key_id),
            "iat": now, "exp": now + LIFE,
        } | ({} if scopes is None else {"scope": " ".join(sorted(scopes))})  # fmt: skip
        return jwt.encode(claims, self._private, algorithm="EdDSA")

    def read(self, token: str) -> Grant:
        """What a token stands for. Raises TokenRefused."""
        try:
            claims = jwt.decode(
                token,
                self._public,
                algorithms=["EdDSA"],
                audience=_AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "tid", "kid"]},
            )
            scopes = claims.get("scope")
            return Grant(
                UUID(claims["tid"]),
                UUID(claims["kid"]),
                None if scopes is None else frozenset(scopes.split()),
            )
        except (jwt.InvalidTokenError, ValueError, AttributeError):
            raise TokenRefused from None
