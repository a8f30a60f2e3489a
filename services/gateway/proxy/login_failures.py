"""Failed log-ins, counted by address: whoever guesses keys soon waits, and those already known there go on undisturbed."""

from ipaddress import IPv6Address, ip_address
from typing import Any

from libs.kit.problems import Problem
from services.gateway.proxy.limits import Policy, RateLimiter


class LoginFailures:
    """At most `policy.quota` failures an address in its window; after that, credentials not seen before are not even read."""

    def __init__(self, limiter: RateLimiter, policy: Policy) -> None:
        self._limiter = limiter
        self._policy = policy

    def require_patience(self, client: Any) -> None:
        """Raise Problem 429 `too_many_failures` for an address that has used its failures up."""
        decision = self._limiter.look(_subject(client), self._policy)
        if not decision.allowed:
            detail = "Too many failed log-ins from this address."
            raise Problem(429, "too_many_failures", detail, headers={"Retry-After": str(decision.retry_s)})

    def count(self, client: Any) -> None:
        """One more failure of an address."""
        self._limiter.take(_subject(client), self._policy)


def _subject(client: Any) -> str:
    """Of an IPv6 address its network: a subscriber has 2^64 of them."""
    text = client[0] if client else ""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return f"failures:{text}"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return f"failures:{int(address) >> 64:x}"
    return f"failures:{address}"
