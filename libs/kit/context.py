"""What follows one request or job through everything it calls: its request id and its trace."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_traceparent: ContextVar[str] = ContextVar("traceparent", default="")

_SANE_ID = re.compile(r"[A-Za-z0-9._:\-]{1,128}\Z")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")


def request_id() -> str:
    """The id of the request or job under way, empty outside of one."""
    return _request_id.get()


def traceparent() -> str:
    """The W3C traceparent to hand on, empty outside of a request or job."""
    return _traceparent.get()


def trace_id() -> str:
    """The 32 hex digits shared by everything that one request caused."""
    value = _traceparent.get()
    return value[3:35] if value else ""


def begin(request_id: str | None = None, traceparent: str | None = None) -> str:
    """Bind a request id and a trace to the current task: the given ones where they are sane, else fresh ones."""
    fresh = secrets.token_hex(36)  # one call to the kernel serves all three ids
    chosen = request_id if request_id and _SANE_ID.match(request_id) else fresh[48:]
    _request_id.set(chosen)
    if traceparent and _TRACEPARENT.match(traceparent):
        _traceparent.set(traceparent)
    else:
        _traceparent.set(f"00-{fresh[:32]}-{fresh[32:48]}-01")
    return chosen


@contextmanager
def kept() -> Iterator[None]:
    """Give the task its own request id and trace back afterwards, whatever was begun inside."""
    ids = _request_id.get(), _traceparent.get()
    try:
        yield
    finally:
        _request_id.set(ids[0])
        _traceparent.set(ids[1])


@contextmanager
def under(traceparent: str) -> Iterator[None]:
    """Make a span the parent of what is called inside."""
    token = _traceparent.set(traceparent)
    try:
        yield
    finally:
        _traceparent.reset(token)
