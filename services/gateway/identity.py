"""From credentials to a principal: keys by their prefix, the gateway's own JWTs, and the operator's key."""

import hashlib
import hmac
from collections.abc import Callable

from starlette.types import Scope

from libs.contracts.ids import UUID
from libs.kit import clock
from libs.kit.auth import Caller
from libs.kit.db import Row
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.gateway.domain.access import effective_scopes
from services.gateway.proxy.credentials import ApiKey, Jwt
from services.gateway.proxy.limits import Policy
from services.gateway.proxy.principals import Principal, unauthenticated
from services.gateway.storage import access

OPERATOR = UUID(int=0)
OPERATOR_SCOPE = "operator"
_REFUSED = "The key is unknown, expired or revoked."


class Identity:
    """Resolves credentials; a principal carries the internal token the services believe."""

    def __init__(self, runtime: Callable[[], Runtime], policy: Policy) -> None:
        self._runtime = runtime
        self._policy = policy

    async def resolve(self, credentials: ApiKey | Jwt) -> Principal:
        """The principal of a key or JWT. Raises Problem 401."""
        runtime = self._runtime()
        caller = await self.caller_of(credentials)
        token = runtime.keys.sign_user(caller)
        return Principal(f"Bearer {token}".encode(), f"{caller.tenant.id}:{caller.subject}", self._policy)

    async def caller_of(self, credentials: ApiKey | Jwt) -> Caller:
        """Who is asking. Raises Problem 401."""
        if isinstance(credentials, Jwt):
            raise unauthenticated("This token is not one of ours.")
        async with self._runtime().db.transaction(Tenant(credentials.tenant_id), readonly=True) as tx:
            row = await access.key_holder(tx, credentials.key_id)
        if row is None or not credentials.matches(row["digest"]) or not _alive(row):
            raise unauthenticated(_REFUSED)
        return caller_from(credentials, row)

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


def caller_from(credentials: ApiKey, row: Row) -> Caller:
    """The caller a key's row describes."""
    user_id = row["user_id"]
    return Caller(
        tenant=tenant_of(credentials.tenant_id, row),
        scopes=effective_scopes(row["scopes"], row["roles"] if user_id else None),
        subject=f"user:{user_id}" if user_id else f"key:{credentials.key_id}",
        key_id=credentials.key_id,
        user_id=user_id,
        roles=frozenset(row["roles"] or ()),
        perimeter=None if row["perimeter"] is None else tuple(row["perimeter"]),
        main_business_unit_id=row["main_business_unit_id"],
    )


def tenant_of(tenant_id: UUID, row: Row) -> Tenant:
    """The tenant a row describes."""
    return Tenant(tenant_id, row["time_zone"], row["currency"], row["frozen_at"] if row["sandbox"] else None)
