"""Ellisphere's requests, and its answers taken out of their wrapping."""

from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from services.risk.providers.errors import (
    AuthRefused,
    CompanyNotFound,
    EntitlementMissing,
    GarbageAnswer,
    ProviderUnavailable,
    RateLimited,
    Rejected,
)
from services.risk.providers.port import Answer
from services.risk.providers.reading import first, words, xml_of
from services.risk.providers.wire import retry_after

ALREADY_MONITORED = "3201"
_NOT_FOUND = frozenset(("3104", "3101", "3102"))


def request(service: str, client: dict[str, str], application: str, inside: str, now: datetime) -> bytes:
    """A request document; `inside` is XML already."""
    prefix = f"<userPrefix>{escape(client['user_prefix'])}</userPrefix>" if client.get("user_prefix") else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<{service}Request lang="FR" version="2.2"><admin><client><contractId>{escape(client.get("contract_id", ""))}'
        f"</contractId>{prefix}<userId>{escape(client.get('user_id', ''))}</userId>"
        f"<password>{escape(client.get('password', ''))}</password></client>"
        f'<context><appId version="1">{application}</appId><date>{now:%Y-%m-%dT%H:%M:%S.000Z}</date></context></admin>'
        f"<request>{inside}</request></{service}Request>"
    ).encode()


def identifier(kind: str, value: str, id_name: str | None = None) -> str:
    """An id node. In a list it must stand inside its criteria: beside them it is ignored and everything comes back."""
    name = f" idName={quoteattr(id_name)}" if id_name else ""
    return f"<id type={quoteattr(kind)}{name}>{escape(value)}</id>"


def response(answer: Answer, already: str | None = None) -> etree._Element | None:
    """The `response` of an answer; None when its minor code is `already`, whatever the HTTP status says (a company that is
    monitored already comes as 401). Raises what the result means."""
    if answer.status == 429:
        raise RateLimited("too many calls", after=retry_after(answer.headers.get("retry-after")))
    if answer.status >= 500:
        raise ProviderUnavailable(f"Ellisphere answered {answer.status}")
    if 300 <= answer.status < 400:
        raise GarbageAnswer("Ellisphere answered with a redirect, which is not followed")
    try:
        root = xml_of(answer.body)
    except GarbageAnswer:
        if answer.status == 401:
            raise AuthRefused("Ellisphere refuses these credentials") from None
        raise
    result = first(root, "result")
    if result is None:
        raise GarbageAnswer("an answer without a result")
    minor = words(result, "minorCode")
    if minor is not None and minor == already:
        return None
    if result.get("code") != "OK":
        raise _meaning(answer.status, minor)
    found = first(root, "response")
    if found is None:
        raise GarbageAnswer("an answer without a response")
    return found


def _meaning(status: int, minor: str | None) -> Exception:
    if minor in _NOT_FOUND:
        return CompanyNotFound("Ellisphere does not know this company", code=minor)
    if status == 401:
        return AuthRefused("Ellisphere refuses these credentials", code=minor)
    if status == 403:
        return EntitlementMissing("the contract does not cover this call", code=minor)
    return Rejected(f"Ellisphere answered with code {minor}", code=minor)
