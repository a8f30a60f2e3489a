"""Answers the gateway gives in its own name."""

from collections.abc import Sequence

from starlette.types import Receive, Send

from libs.kit.problems import Problem, problem_bytes
from services.gateway.proxy.bodies import linger
from services.gateway.proxy.connection import Header
from services.gateway.proxy.inbound import Inbound

CLOSE: Header = (b"connection", b"close")


async def send_problem(
    problem: Problem, inbound: Inbound | None, receive: Receive, send: Send, extra: Sequence[Header] = ()
) -> None:
    """Answer with a problem. A client still sending a large body is heard out for a moment, then cut off."""
    body = problem_bytes(problem)
    headers: list[Header] = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        *(
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in problem.headers.items()
        ),
        *extra,
    ]
    unread = inbound is None or inbound.unread
    if unread:
        headers.append(CLOSE)
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": unread})
    if unread:
        await linger(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def send_options(allow: str, send: Send, extra: Sequence[Header]) -> None:
    """Answer OPTIONS: what may be done here."""
    headers: list[Header] = [(b"allow", allow.encode("ascii")), *extra]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
