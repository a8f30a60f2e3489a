"""What the gateway takes from a request before it trusts it: one pass over the headers.

Everything that could make a service read another request than we read is refused or said anew in our own
words: framing, host, connection options, identity. What remains is passed on as it came.
"""

from dataclasses import dataclass
from typing import Any

from libs.kit import context
from libs.kit.problems import Problem
from services.gateway.proxy.connection import Header

#: Request line and headers together, as a service gets them; uvicorn itself sets no bound.
MAX_HEAD = 32 * 1024
MAX_HEADERS = 100

#: Bodies up to this length are read whole before a connection is taken, so that a slow client holds none.
SMALL_BODY = 64 * 1024

#: Of one connection only, or ours to say, and never passed on. A cookie is a credential of somebody else's.
_DROPPED = frozenset(
    (
        b"cookie",
        b"expect",
        b"forwarded",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"tracestate",
        b"upgrade",
        b"via",
        b"x-real-ip",
    )
)
_READ_HERE = frozenset(
    (
        b"authorization",
        b"connection",
        b"content-length",
        b"origin",
        b"traceparent",
        b"transfer-encoding",
        b"x-request-id",
    )
)
_OURS = _DROPPED | _READ_HERE
_INTERNAL = (b"x-encours-", b"x-forwarded-")
_KEPT = (b"keep-alive", b"close", b"")


@dataclass(slots=True)
class Inbound:
    """One request's headers, understood.

    `headers` are those a service may see as they came; identity, framing and tracing are added when they are
    sent on. `content_length` is None without a length, `chunked` says that the body streams without one, and
    `unread` that a large body may still be on its way. `origin` is of the web page that calls, if one does.
    """

    headers: list[Header]
    authorization: bytes | None
    content_length: int | None
    chunked: bool
    request_id: bytes
    traceparent: bytes
    unread: bool
    origin: bytes | None

    @property
    def has_body(self) -> bool:
        """Whether body bytes will follow."""
        return self.chunked or bool(self.content_length)


def read_request(scope: Any) -> Inbound:
    """Understand a request's headers and bind its request id and trace to the current task.

    Raises Problem 400 for what could be read two ways (framing, credentials, a request without a version), 431 for more
    than anybody needs.
    """
    headers: list[Header] = []
    single: dict[bytes, bytes] = {}
    named: list[bytes] = []
    doubled: bytes | None = None
    size = 0
    for header in scope["headers"]:
        name, value = header
        size += len(name) + len(value)
        if name in _OURS:
            if name not in _READ_HERE:
                continue
            if name == b"connection":
                if value not in _KEPT:
                    named += [token.strip() for token in value.lower().split(b",")]
            elif name in single:
                doubled = name
            else:
                single[name] = value
        elif name[:2] != b"x-" or not name.startswith(_INTERNAL):
            headers.append(header)
    request_id, traceparent = _bind(single)
    if doubled is not None and doubled not in (b"x-request-id", b"traceparent"):
        raise Problem(400, "header_repeated", f"The header {doubled.decode('latin-1')} may be given once.")
    if size > MAX_HEAD or len(scope["headers"]) > MAX_HEADERS:
        detail = f"A request may have {MAX_HEADERS} headers of {MAX_HEAD} bytes together."
        raise Problem(431, "headers_too_large", detail)
    if named:
        headers = [header for header in headers if header[0] not in named]
    if scope["http_version"] == "0.9":
        raise Problem(400, "http_version_unknown", "A request line ends with HTTP/1.1.")
    content_length, chunked = _framing(single)
    unread = chunked or (content_length is not None and content_length > SMALL_BODY)
    authorization = single.get(b"authorization")
    origin = single.get(b"origin")
    return Inbound(headers, authorization, content_length, chunked, request_id, traceparent, unread, origin)


def _bind(single: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    given_id, given_trace = single.get(b"x-request-id"), single.get(b"traceparent")
    request_id = context.begin(
        given_id.decode("latin-1") if given_id else None,
        given_trace.decode("latin-1") if given_trace else None,
    )
    return request_id.encode("ascii"), context.traceparent().encode("ascii")


def _framing(single: dict[bytes, bytes]) -> tuple[int | None, bool]:
    length, coding = single.get(b"content-length"), single.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            raise Problem(400, "framing_ambiguous", "Give Content-Length or Transfer-Encoding, never both.")
        if coding.lower() != b"chunked":
            raise Problem(400, "transfer_coding_unknown", "The only Transfer-Encoding accepted is chunked.")
        return None, True
    if length is None:
        return None, False
    if not length.isdigit() or len(length) > 18:
        raise Problem(400, "framing_ambiguous", "Content-Length is a plain number of bytes.")
    return int(length), False


def request_head(
    scope: Any,
    method: bytes,
    tail: bytes,
    inbound: Inbound,
    authorization: bytes | None,
    original: bytes | None,
) -> bytes:
    """The request line and headers as the service gets them. Raises Problem 431 for more than MAX_HEAD bytes.

    `tail` is the upstream's: version and host. `authorization` is our internal token; `original` the caller's
    own header, passed beside it on public routes only.
    """
    query = scope["query_string"]
    parts = [method, b" ", scope["raw_path"]]
    if query:
        parts += (b"?", query)
    parts.append(tail)
    for name, value in inbound.headers:
        parts += (name, b": ", value, b"\r\n")
    if authorization is not None:
        parts += (b"authorization: ", authorization, b"\r\n")
    if original is not None:
        parts += (b"x-encours-authorization: ", original, b"\r\n")
    if inbound.chunked:
        parts.append(b"transfer-encoding: chunked\r\n")
    elif inbound.content_length is not None:
        parts.append(b"content-length: %d\r\n" % inbound.content_length)
    parts += (b"x-request-id: ", inbound.request_id, b"\r\ntraceparent: ", inbound.traceparent, b"\r\n\r\n")
    head = b"".join(parts)
    if len(head) > MAX_HEAD:
        detail = f"Request line and headers may hold {MAX_HEAD} bytes together."
        raise Problem(431, "headers_too_large", detail)
    return head
