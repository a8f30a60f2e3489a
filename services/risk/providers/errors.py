"""What can go wrong between us and a provider. None of these carries a URL, a header, a body or a credential."""

from datetime import timedelta


class ProviderError(Exception):
    """A provider did not give what was asked. `kind` is stable; `code` is the provider's own, where it has one."""

    kind = "error"
    retry = False
    """Asking again later may help."""

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


class AuthRefused(ProviderError):
    """The credentials are wrong, expired or locked. Never asked again by itself: some providers lock the account."""

    kind = "auth"


class EntitlementMissing(ProviderError):
    """The contract does not cover this: the provider must be asked, not the network."""

    kind = "entitlement"


class CompanyNotFound(ProviderError):
    """The provider does not know the company."""

    kind = "not_found"


class RateLimited(ProviderError):
    """Too many calls; `after` is how long to wait, when the provider says so."""

    kind = "rate_limited"
    retry = True

    def __init__(self, detail: str, *, after: timedelta | None = None, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.after = after


class ProviderUnavailable(ProviderError):
    """Down, too slow, or out of order. Says nothing about the company."""

    kind = "unavailable"
    retry = True


class GarbageAnswer(ProviderError):
    """An answer that is not what the provider's format promises: broken, truncated, too large, contradictory."""

    kind = "garbage"
    retry = True


class Uncertain(ProviderError):
    """A call that changes or costs something went out and no answer came: it may have worked. Look before repeating."""

    kind = "uncertain"


class Rejected(ProviderError):
    """The provider understood and refused; asking the same again gives the same."""

    kind = "rejected"


class HostRefused(ProviderError):
    """Our own policy forbids calling that address."""

    kind = "host_refused"


class NotSupported(ProviderError):
    """The provider has no such call (see its capabilities)."""

    kind = "not_supported"


class NotReady(ProviderError):
    """The provider has taken the order and is still working on it."""

    kind = "not_ready"
    retry = True
