"""Moments in the life of a connection that no socket can be made to produce on demand."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from typing_extensions import override

from services.gateway.proxy.connection import Connection
from services.gateway.proxy.failures import ClientGone, ServiceUnavailable
from services.gateway.proxy.upstream import Upstream


class Transport(asyncio.Transport):
    """Goes nowhere."""

    @override
    def abort(self) -> None: ...

    @override
    def pause_reading(self) -> None: ...

    @override
    def resume_reading(self) -> None: ...

    @override
    def is_closing(self) -> bool:
        return False


async def test_connection_lost_before_it_is_used_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    upstream = Upstream("ledger", "http://127.0.0.1:9")

    async def create_connection(factory: Callable[[], Connection], *_: Any, **__: Any) -> Any:
        connection = factory()
        connection.connection_made(Transport())
        connection.connection_lost(None)
        return None, connection

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection)
    with pytest.raises(ServiceUnavailable):
        await upstream.acquire()
    assert upstream.connections == 0


async def test_client_that_leaves_while_its_answer_is_held_back_is_noticed() -> None:
    upstream = Upstream("ledger", "http://127.0.0.1:9")
    connection = Connection(lambda lost: None)
    connection.connection_made(Transport())
    connection.begin()
    connection.begun_at -= 1
    connection.request_sent = connection._read_paused = True

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    connection.receive = receive
    upstream._open.add(connection)
    upstream._tick()
    await asyncio.sleep(0)
    assert isinstance(connection.failure, ClientGone)
    await upstream.close()


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "http://x/path", "127.0.0.1:80"])
async def test_senseless_base_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected a base URL"):
        Upstream("ledger", url)
