"""What callers prove themselves with: API keys and JWTs. Pure: texts in, facts out.

An API key reads `enc_{tenant id}_{key id}_{secret}`: two UUIDs and 256 random bits, all in lower-case hex, so
that a key is one word to a mouse, one pattern to a secret scanner, and the ids in it can be looked for in
logs as they stand. The prefix says whose key it is before any table is read; the secret needs no slow hash,
because there is nothing to guess.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

from typing_extensions import override

_API_KEY = re.compile(r"enc_([0-9a-f]{32})_([0-9a-f]{32})_[0-9a-f]{64}\Z")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
_MAX_HEADER = 16 * 1024


class CredentialsRefused(Exception):
    """Credentials that cannot be read. The message says what was expected and never repeats what was sent."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as presented. `text` is the secret itself: never log it."""

    tenant_id: UUID
    key_id: UUID
    text: str

    @override
    def __repr__(self) -> str:
        return f"ApiKey(tenant_id={self.tenant_id}, key_id={self.key_id})"

    def matches(self, stored: bytes) -> bool:
        """Whether this is the key whose digest was stored; takes the same time either way."""
        return hmac.compare_digest(digest(self.text), stored)


@dataclass(frozen=True, slots=True)
class Jwt:
    """A compact JWS as presented, not yet verified."""

    text: str

    @override
    def __repr__(self) -> str:
        return "Jwt(…)"


def generate(tenant_id: UUID, key_id: UUID) -> ApiKey:
    """A new key. Show its text once and store its `digest`."""
    return ApiKey(tenant_id, key_id, f"enc_{tenant_id.hex}_{key_id.hex}_{secrets.token_hex(32)}")


def digest(text: str) -> bytes:
    """SHA-256 of a whole key: what the database keeps.

    Tenant and id are under the hash, so no part can be exchanged.
    """
    return hashlib.sha256(text.encode()).digest()


def parse_key(text: str) -> ApiKey:
    """Read an API key. Raises CredentialsRefused."""
    match = _API_KEY.match(text)
    if match is None:
        raise CredentialsRefused("expected an API key: enc_, tenant, key and secret as they were given")
    return ApiKey(UUID(match[1]), UUID(match[2]), text)


def parse_bearer(header: bytes) -> ApiKey | Jwt:
    """Read an Authorization header's value: `Bearer` and an API key or a JWT. Raises CredentialsRefused."""
    if len(header) > _MAX_HEADER:
        raise CredentialsRefused("expected credentials of a reasonable length")
    scheme, _, token = header.decode("latin-1").partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token:
        raise CredentialsRefused("expected Authorization: Bearer followed by an API key or a JWT")
    if token.startswith("enc_"):
        return parse_key(token)
    if _JWT.match(token):
        return Jwt(token)
    raise CredentialsRefused("expected a bearer token that is an API key (enc_…) or a JWT")
