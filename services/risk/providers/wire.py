"""Calling a provider: one place where addresses are joined, secrets taken out, and failures given their names."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode, urlsplit

from libs.kit import clock
from libs.kit.outbound import NotSent, OutboundError, Refused
from libs.kit.outbound import Uncertain as MayHaveWorked
from services.risk.providers.errors import (
    AuthRefused,
    CompanyNotFound,
    EntitlementMissing,
    GarbageAnswer,
    HostRefused,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    Rejected,
    Uncertain,
)
from services.risk.providers.facts import RawAnswer
from services.risk.providers.port import Answer, Connection, Transport

#: The largest answer read. The widest seen in the field is a monitoring list of 1.5 MB.
MAX_BYTES = 5 * 1024 * 1024
_MASK = "[redacted]"
_LONGEST_WAIT = timedelta(hours=1)


class Wire:
    """Calls of one connection. `secrets` are taken out of everything that is kept."""

    seconds = 20.0
    """The longest a call may take, from the first byte asked to the last one read."""

    def __init__(
        self, connection: Connection, base_url: str, transport: Transport, secrets: Iterable[str]
    ) -> None:
        self._base = (connection.base_url or base_url).rstrip("/")
        self._transport = transport
        self._secrets = _spellings(secrets)

    def hide(self, *secrets: str) -> None:
        """Take these too out of what is kept: session tokens, hashes of passwords."""
        self._secrets = tuple({*self._secrets, *_spellings(secrets)})

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        basic: tuple[str, str] | None = None,
        changes: bool = False,
    ) -> Answer:
        """Send one call, whatever the status of its answer.

        changes: the call alters or costs something, so that a lost answer is Uncertain and not merely unavailable. Raises
        HostRefused, ProviderUnavailable, GarbageAnswer (larger than MAX_BYTES, broken encoding) or Uncertain.
        """
        url = f"{self._base}/{path.lstrip('/')}" if path else self._base
        try:
            return await self._transport.send(
                method,
                url,
                headers=headers,
                params=params,
                content=content,
                basic=basic,
                total_seconds=self.seconds,
                max_bytes=MAX_BYTES,
            )
        except Refused as refused:
            raise HostRefused(f"{refused.host} may not be called: {refused.reason}") from None
        except NotSent as broken:
            raise ProviderUnavailable(f"{broken.host} could not be reached: {broken.reason}") from None
        except MayHaveWorked as lost:
            if changes:
                raise Uncertain(f"{lost.host} did not answer: {lost.reason}") from None
            if lost.reason.startswith("answer_"):
                raise GarbageAnswer(f"{lost.host} answered badly: {lost.reason}") from None
            raise ProviderUnavailable(f"{lost.host} did not answer: {lost.reason}") from None
        except OutboundError as error:
            raise ProviderUnavailable(f"{error.host}: {error.reason}") from None

    def keep(
        self,
        part: str,
        method: str,
        path: str,
        answer: Answer,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        billed: bool = False,
    ) -> RawAnswer:
        """An answer for the archive, its request and its body without any secret of the connection."""
        query = f"?{urlencode(params)}" if params else ""
        body = f"\n\n{content.decode('utf-8', 'replace')}" if content else ""
        return RawAnswer(
            part=part,
            request=self.redacted(f"{method} /{path.lstrip('/')}{query}{body}"),
            status=answer.status,
            media_type=answer.headers.get("content-type", "").partition(";")[0].strip(),
            body=self._clean(answer.body),
            fetched_at=clock.wall(),
            billed=billed,
        )

    def redacted(self, text: str) -> str:
        """A text without the connection's secrets, in whichever spelling they stand in it."""
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return text

    def _clean(self, body: bytes) -> bytes:
        for secret in self._secrets:
            body = body.replace(secret.encode(), _MASK.encode())
        return body


def failed(part: str, request: str, error: ProviderError) -> RawAnswer:
    """A part of a fetch that could not be had."""
    return RawAnswer(part, request, 0, "", b"", clock.wall(), failure=error.kind)


def host_of(url: str) -> str:
    """The host a URL names, lower case."""
    return (urlsplit(url).hostname or "").lower()


def check(answer: Answer, *, known: Iterable[int] = (200,)) -> None:
    """Pass an answer whose status is one of `known`; give every other its name.

    Raises AuthRefused 401, EntitlementMissing 403, CompanyNotFound 404, RateLimited 429 (with Retry-After), Rejected for
    other 4xx, ProviderUnavailable for 5xx, GarbageAnswer for a redirect: they are never followed.
    """
    status = answer.status
    if status in known:
        return
    if status == 401:
        raise AuthRefused("the provider refuses these credentials")
    if status == 403:
        raise EntitlementMissing("the contract does not cover this call")
    if status == 404:
        raise CompanyNotFound("the provider does not know this company")
    if status == 429:
        raise RateLimited("too many calls", after=retry_after(answer.headers.get("retry-after")))
    if status >= 500:
        raise ProviderUnavailable(f"the provider answered {status}")
    if 300 <= status < 400:
        raise GarbageAnswer(f"the provider answered {status}, and redirects are not followed")
    if status >= 400:
        raise Rejected(f"the provider answered {status}")
    raise GarbageAnswer(f"the provider answered {status}")


def retry_after(value: str | None) -> timedelta | None:
    """A Retry-After header, seconds or a date, at most an hour; None when it says nothing sensible."""
    if value is None:
        return None
    if value.strip().isdigit():
        return min(timedelta(seconds=int(value.strip()[:9])), _LONGEST_WAIT)
    try:
        at: datetime = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(at - clock.wall(), timedelta(0)), _LONGEST_WAIT)


def _spellings(secrets: Iterable[str]) -> tuple[str, ...]:
    """Each secret as it is, as URLs write it and as XML does; short ones too, but not what could be any word. Longest
    first, so that one secret inside another leaves nothing behind."""
    found = set()
    for secret in secrets:
        if len(secret) < 4:
            continue
        xml = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        found |= {secret, quote(secret, safe=""), quote(secret), xml, urlencode({"": secret})[1:]}
    return tuple(sorted(found, key=len, reverse=True))
