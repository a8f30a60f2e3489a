"""Request bodies on their way through: counted, never kept, and never sent twice."""

import asyncio

from starlette.types import Message, Receive

from libs.kit.problems import Problem
from services.gateway.proxy.connection import Connection
from services.gateway.proxy.failures import BodyTooLarge, ClientGone, ClientStalled, ProxyFailure
from services.gateway.proxy.inbound import Inbound

#: How long, and how much, is read from a client whose request was refused before its body had ended.
LINGER_S = 2.0
LINGER_BYTES = 16 * 1024 * 1024


async def read_small(receive: Receive, stall_s: float) -> bytes:
    """The whole of a small body.

    Raises ClientGone, or ClientStalled when it takes longer than `stall_s` seconds.
    """
    message = await receive()
    if not message.get("more_body", False):
        return _body(message)
    pieces = [_body(message)]
    try:
        async with asyncio.timeout(stall_s):
            while message.get("more_body", False):
                message = await receive()
                pieces.append(_body(message))
    except TimeoutError:
        raise ClientStalled from None
    return b"".join(pieces)


async def send_on(connection: Connection, receive: Receive, inbound: Inbound, limit: int) -> None:
    """Stream a body to the service as it arrives, then watch for the client's leaving.

    Ends the exchange with BodyTooLarge past `limit` bytes, with ClientGone when the client leaves.
    """
    sent = 0
    try:
        while True:
            message = await receive()
            body = _body(message)
            sent += len(body)
            if sent > limit:
                raise BodyTooLarge
            more = message.get("more_body", False)
            if body and not connection.complete:
                if inbound.chunked:
                    connection.write(b"%x\r\n" % len(body), body, b"\r\n")
                else:
                    connection.write(body)
                await connection.drain()
            if not more:
                break
        inbound.unread = False
        if connection.complete:
            return
        if inbound.chunked:
            connection.write(b"0\r\n\r\n")
        connection.request_sent = True
        while (await receive())["type"] != "http.disconnect":
            pass
        raise ClientGone
    except ProxyFailure as failure:
        connection.fail(failure)
    except Exception:
        connection.fail(ClientGone())
        raise


async def linger(receive: Receive) -> None:
    """Read on, for a while, from a client that is still sending although it has its answer.

    Closing at once would reset the connection, and a reset can destroy the answer before the client reads it.
    """
    taken = 0
    try:
        async with asyncio.timeout(LINGER_S):
            while taken < LINGER_BYTES:
                message = await receive()
                taken += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def counted(receive: Receive, limit: int) -> Receive:
    """A `receive` that raises 413 `body_too_large` once more than `limit` bytes have come through it."""
    taken = 0

    async def receive_counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise too_large(limit)
        return message

    return receive_counted


def too_large(limit: int) -> Problem:
    """413 naming the limit in bytes."""
    return Problem(413, "body_too_large", f"The body may hold {limit} bytes at the most.", limit=limit)


def _body(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    return body
