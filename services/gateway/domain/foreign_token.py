"""What is believed of a token that somebody else's identity provider signed. Pure: claims and keys in, a subject out."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt

#: Asymmetric signatures alone: with a shared secret, or none, whoever can read the key set could sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_MIN_RSA_BITS = 2048


class TokenUnbelieved(Exception):
    """A foreign token that does not hold; the text says why and repeats nothing of it."""


class KeyUnknown(TokenUnbelieved):
    """The key set has no key of that id: it may have been changed since it was read."""


def peek(token: str) -> tuple[str, tuple[str, ...]]:
    """(issuer, audiences) as a token claims them, nothing of it verified: enough to know whom to ask. Raises TokenUnbelieved."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        issuer, audience = claims["iss"], claims.get("aud", ())
        audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        if (
            not isinstance(issuer, str)
            or len(audiences) > 20
            or not all(isinstance(a, str) for a in audiences)
        ):
            raise TypeError
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        raise TokenUnbelieved("its claims cannot be read") from None
    return issuer, audiences


def directory_hash(issuer: str, audience: str) -> bytes:
    """Under what the house finds the tenant that takes an issuer's tokens for an audience."""
    return hashlib.sha256(f"oidc\n{issuer}\n{audience}".encode()).digest()


def subject_of(
    token: str,
    keys: Mapping[str, Any],
    *,
    issuer: str,
    audience: str,
    algorithms: tuple[str, ...],
    now: datetime,
    leeway: timedelta,
) -> str:
    """The `sub` of a token that holds at `now`: signed with an issuer's key (JWKs by `kid`) and an allowed algorithm, for this
    audience, not expired, begun. Raises TokenUnbelieved, KeyUnknown."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise TokenUnbelieved("it cannot be read") from None
    algorithm = header.get("alg")
    if algorithm not in algorithms or algorithm not in ALGORITHMS:
        raise TokenUnbelieved("its algorithm is not one of those allowed")
    if "crit" in header:
        raise TokenUnbelieved("it demands an extension that is not known here")
    key = _key(header.get("kid"), keys, algorithm)
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            # Its times are held against the house's own clock below.
            options={
                "require": ["exp", "sub", "iss", "aud"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        expires = datetime.fromtimestamp(float(claims["exp"]), now.tzinfo)
        begins = datetime.fromtimestamp(float(claims.get("nbf", 0)), now.tzinfo)
    except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError, OSError):
        raise TokenUnbelieved("its signature or its claims do not hold") from None
    if expires + leeway <= now:
        raise TokenUnbelieved("it has expired")
    if begins - leeway > now:
        raise TokenUnbelieved("it does not hold yet")
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject:
        raise TokenUnbelieved("it names nobody")
    return subject


def _key(kid: Any, keys: Mapping[str, Any], algorithm: str) -> Any:
    if kid is None and len(keys) == 1:
        (jwk,) = keys.values()
    elif not isinstance(kid, str) or kid not in keys:
        raise KeyUnknown("its key is not one of the issuer's")
    else:
        jwk = keys[kid]
    if jwk.get("kty") != _KEY_TYPES[algorithm[:2]] or jwk.get("alg", algorithm) != algorithm:
        raise TokenUnbelieved("its key is for another algorithm")
    try:
        key = jwt.PyJWK(jwk, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        raise TokenUnbelieved("its key cannot be used") from None
    if jwk["kty"] == "RSA" and key.key_size < _MIN_RSA_BITS:
        raise TokenUnbelieved("its key is too short")
    return key


def signing_keys(key_set: Any) -> dict[str, Any]:
    """The public signing keys of a JSON Web Key Set, by `kid`. Raises ValueError for something else, a hundred at the most."""
    entries = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(entries, list) or len(entries) > 100:
        raise ValueError("not a key set")
    found = {}
    for number, jwk in enumerate(entries):
        if isinstance(jwk, dict) and jwk.get("use", "sig") == "sig" and jwk.get("kty") in _KEY_TYPES.values():
            kid = jwk.get("kid")
            found[kid if isinstance(kid, str) else f"#{number}"] = jwk
    return found
