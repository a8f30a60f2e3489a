"""Altares' envelopes: what is sent, and what came back taken out of its wrapping."""

import hashlib
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from services.risk.providers.errors import (
    AuthRefused,
    CompanyNotFound,
    GarbageAnswer,
    ProviderError,
    ProviderUnavailable,
    Rejected,
)
from services.risk.providers.reading import each, text, tree_of, xml_of

_SERVICE = "http://service.callisto.newsys.altares.fr"
NO_SUCH_COMPANY = frozenset(("101", "102", "106", "108", "109"))
NO_FIGURES = "118"
_OUT_OF_ORDER = frozenset(("-1", "0", "1", "2", "3", "4", "5", "7", "8"))
ALREADY_WATCHED = "503"
NOT_WATCHED = "504"


def identification(login: str, password: str) -> str:
    """`login|sha1(password)`, as IWS wants it. (A weak hash; the transport is what protects it.)"""
    return f"{login}|{hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest()}"


def envelope(operation: str, parameters: Mapping[str, str]) -> bytes:
    """A SOAP 1.1 call."""
    inside = "".join(f"<ser:{name}>{escape(value)}</ser:{name}>" for name, value in parameters.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ser="'
        + _SERVICE
        + '">'
        f"<soapenv:Body><ser:{operation}>{inside}</ser:{operation}></soapenv:Body></soapenv:Envelope>"
    ).encode()


def info(body: bytes) -> dict[str, Any]:
    """The `myInfo` of an answer. Raises what its exception means (the code in `ProviderError.code`), ProviderUnavailable for a
    SOAP fault, GarbageAnswer when there is both or neither of exception and info."""
    root = xml_of(body)
    if next(each(root, "Body", "Fault"), None) is not None:
        raise ProviderUnavailable("the service answered with a SOAP fault")
    answer = next((one for call in each(root, "Body") for one in call), None)
    returned = None if answer is None else next(each(answer, "return"), None)
    found = tree_of(returned) if returned is not None else None
    if not isinstance(found, dict):
        raise GarbageAnswer("an answer without a return")
    exception, inside = found.get("exception"), found.get("myInfo")
    if bool(exception) == bool(inside):
        raise GarbageAnswer("both or neither of exception and myInfo")
    if exception:
        raise _meaning(exception)
    if not isinstance(inside, dict):
        raise GarbageAnswer("a myInfo that is not a structure")
    return inside


def _meaning(exception: Any) -> ProviderError:
    code = text(exception.get("code")) if isinstance(exception, dict) else None
    if code in NO_SUCH_COMPANY:
        return CompanyNotFound("Altares does not know this number", code=code)
    if code in _OUT_OF_ORDER:
        return ProviderUnavailable(f"Altares reports a technical error ({code})", code=code)
    if code == "10":
        return AuthRefused("Altares refuses these credentials", code=code)
    return Rejected(f"Altares answered with code {code}", code=code)
