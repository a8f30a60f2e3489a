"""From credentials to a principal: keys by their prefix, the gateway's own JWTs, those of a tenant's identity provider, and
the operator's key."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
from starlette.types import Scope

from libs.contracts.ids import UUID
from libs.contracts.tenant_settings import Oidc, TenantSettings
from libs.kit import clock
from libs.kit.auth import Caller
from libs.kit.db import Row
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.gateway.access_tokens import ISSUER, AccessTokens, TokenRefused
from services.gateway.domain.access import effective_scopes, narrowed
from services.gateway.domain.foreign_token import (
    KeyUnknown,
    TokenUnbelieved,
    directory_hash,
    peek,
    subject_of,
)
from services.gateway.issuers import Issuers
from services.gateway.proxy.credentials import ApiKey, Jwt
from services.gateway.proxy.limits import Policy
from services.gateway.proxy.principals import Principal, unauthenticated
from services.gateway.storage import access

OPERATOR = UUID(int=0)
OPERATOR_SCOPE = "operator"
OIDC = "oidc"
_REFUSED = "The key is unknown, expired or revoked."


class Identity:
    """Resolves credentials; a principal carries the internal token the services believe."""

    def __init__(self, runtime: Callable[[], Runtime], policy: Policy, issuers: Issuers) -> None:
        self._runtime = runtime
        self._issuers = issuers
        self._policy = policy
        self._access_tokens: AccessTokens | None = None

    async def resolve(self, credentials: ApiKey | Jwt) -> Principal:
        """The principal of a key or JWT. Raises Problem 401."""
        runtime = self._runtime()
        caller = await self.caller_of(credentials)
        token = runtime.keys.sign_user(caller)
        subject = f"{caller.tenant.id}:{caller.subject}"
        return Principal(f"Bearer {token}".encode(), subject, self._policy, caller.tenant.id)

    async def caller_of(self, credentials: ApiKey | Jwt) -> Caller:
        """Who is asking. Raises Problem 401."""
        if isinstance(credentials, Jwt):
            return await self._caller_of_jwt(credentials)
        row = await self._holder(credentials.tenant_id, credentials.key_id)
        if row is None or not credentials.matches(row["digest"]) or not _alive(row):
            raise unauthenticated(_REFUSED)
        return caller_from(credentials.tenant_id, credentials.key_id, row)

    async def grant(self, key: ApiKey, wanted: frozenset[str] | None) -> tuple[str, frozenset[str]]:
        """An access token for a key, and the scopes it has: those wanted that the key holds, or all. Raises Problem 401."""
        held = (await self.caller_of(key)).scopes
        scopes = held if wanted is None else narrowed(held, wanted)
        return self._tokens().issue(key.tenant_id, key.key_id, None if wanted is None else scopes), scopes

    async def _caller_of_jwt(self, token: Jwt) -> Caller:
        try:
            issuer, audiences = peek(token.text)
        except TokenUnbelieved as reason:
            raise unauthenticated(f"The token does not hold: {reason}.") from None
        if issuer == ISSUER:
            return await self._caller_of_token(token)
        return await self._caller_of_foreign_token(token, issuer, audiences)

    async def _caller_of_foreign_token(self, token: Jwt, issuer: str, audiences: tuple[str, ...]) -> Caller:
        """The user of a tenant that takes this issuer's tokens. Raises Problem 401, or 503 when its keys cannot be had."""
        runtime = self._runtime()
        hashes = [directory_hash(issuer, audience) for audience in audiences]
        async with runtime.db.system() as connection:
            tenant_id = await access.tenant_in_directory(connection, OIDC, hashes)
        row = oidc = None
        if tenant_id is not None:
            async with runtime.db.transaction(Tenant(tenant_id), readonly=True) as tx:
                row = await access.tenant(tx)
            oidc = TenantSettings.model_validate(msgspec.json.decode(row["settings"])).oidc if row else None
        if tenant_id is None or oidc is None or oidc.issuer != issuer:
            raise unauthenticated("No tenant takes tokens of this issuer for this audience.")
        subject = await self._believed_subject(token, oidc)
        async with runtime.db.transaction(Tenant(tenant_id), readonly=True) as tx:
            person = await access.person(tx, subject)
        if person is None:
            raise unauthenticated("The token holds, but its subject is no active user of the tenant.")
        return Caller(
            tenant=tenant_of(tenant_id, person),
            scopes=effective_scopes(["admin"], person["roles"]),
            subject=f"user:{person['user_id']}",
            user_id=person["user_id"],
            roles=frozenset(person["roles"]),
            perimeter=None if person["perimeter"] is None else tuple(person["perimeter"]),
            main_business_unit_id=person["main_business_unit_id"],
        )

    async def _believed_subject(self, token: Jwt, oidc: Oidc) -> str:
        def read(keys: dict[str, Any]) -> str:
            return subject_of(
                token.text,
                keys,
                issuer=oidc.issuer,
                audience=oidc.audience,
                algorithms=tuple(oidc.algorithms),
                now=clock.wall(),
                leeway=timedelta(seconds=oidc.clock_skew_seconds),
            )

        try:
            try:
                return read(await self._issuers.keys(oidc.issuer))
            except KeyUnknown:  # perhaps its keys were changed a moment ago
                return read(await self._issuers.keys(oidc.issuer, anew=True))
        except TokenUnbelieved as reason:
            raise unauthenticated(f"The token does not hold: {reason}.") from None

    async def _caller_of_token(self, token: Jwt) -> Caller:
        try:
            grant = self._tokens().read(token.text)
        except TokenRefused:
            raise unauthenticated("The token has expired or is not one of ours.") from None
        row = await self._holder(grant.tenant_id, grant.key_id)
        if row is None or not _alive(row):
            raise unauthenticated("The key behind this token is expired or revoked.")
        caller = caller_from(grant.tenant_id, grant.key_id, row)
        return (
            caller if grant.scopes is None else replace(caller, scopes=narrowed(caller.scopes, grant.scopes))
        )

    async def _holder(self, tenant_id: UUID, key_id: UUID) -> Row | None:
        async with self._runtime().db.transaction(Tenant(tenant_id), readonly=True, kept_plans=True) as tx:
            return await access.key_holder(tx, key_id)

    def _tokens(self) -> AccessTokens:
        if self._access_tokens is None:
            self._access_tokens = AccessTokens(self._runtime().settings.keys_dir)
        return self._access_tokens

    def operator(self, scope: Scope) -> Principal | None:
        """The principal of a request that bears the operator's key, whatever its shape; None for every other request."""
        secret = self._runtime().settings.bootstrap_key
        if secret is None:
            return None
        expected = hashlib.sha256(f"Bearer {secret.get_secret_value()}".encode()).digest()
        for name, value in scope["headers"]:
            if name == b"authorization" and hmac.compare_digest(hashlib.sha256(value).digest(), expected):
                caller = Caller(
                    tenant=Tenant(OPERATOR), scopes=frozenset({OPERATOR_SCOPE}), subject="operator"
                )
                token = self._runtime().keys.sign_user(caller)
                return Principal(f"Bearer {token}".encode(), "operator", self._policy)
        return None


def _alive(row: Row) -> bool:
    """Keys expire on the wall clock, also for a sandbox tenant: a frozen clock must not keep a key alive."""
    expired = row["expires_at"] is not None and row["expires_at"] <= clock.wall()
    bound_to_inactive = row["user_id"] is not None and not row["user_active"]
    return row["revoked_at"] is None and not expired and not bound_to_inactive and row["status"] == "active"


def caller_from(tenant_id: UUID, key_id: UUID, row: Row) -> Caller:
    """The caller a key's row describes."""
    user_id = row["user_id"]
    return Caller(
        tenant=tenant_of(tenant_id, row),
        scopes=effective_scopes(row["scopes"], row["roles"] if user_id else None),
        subject=f"user:{user_id}" if user_id else f"key:{key_id}",
        key_id=key_id,
        user_id=user_id,
        roles=frozenset(row["roles"] or ()),
        perimeter=None if row["perimeter"] is None else tuple(row["perimeter"]),
        main_business_unit_id=row["main_business_unit_id"],
    )


def tenant_of(tenant_id: UUID, row: Row) -> Tenant:
    """The tenant a row describes."""
    return Tenant(tenant_id, row["time_zone"], row["currency"], row["frozen_at"] if row["sandbox"] else None)
