"""The supervisor, seen from outside: a real run in a process of its own, with small stand-ins for the services."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import pytest

from libs.stack.lock import is_running, stop_running
from libs.stack.ports import free_port
from libs.stack.postgres import fetch_value
from libs.stack.processes import born
from libs.stack.run import read_environment
from libs.testkit.servers import test_servers

ROOT = Path(__file__).resolve().parents[2]
#: The house in small: a door, a room behind it, a worker.
LAUNCH = """
import os, sys
from pathlib import Path
from libs.stack.errors import StackError
from libs.stack.programs import Program
from libs.stack.run import run
from libs.stack.settings import read_settings
port, room = int(os.environ["ENCOURS_PORT"]), int(os.environ["ROOM_PORT"])
def uvicorn(port):
    return (sys.executable, "-m", "uvicorn", "--app-dir", sys.argv[1], "small:app", "--port", str(port), "--no-access-log")
programs = [
    Program("gateway", uvicorn(port), f"http://127.0.0.1:{port}"),
    Program("ledger", uvicorn(room), f"http://127.0.0.1:{room}"),
    Program("workers", (sys.executable, sys.argv[1] + "/worker.py")),
]
try:
    sys.exit(run(read_settings(os.environ, Path(sys.argv[1])), os.environ, programs))
except StackError as error:
    sys.stderr.write(f"encours: {error}\\n")
    sys.exit(2)
"""
SMALL = """
import os, time
started = time.monotonic()
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        if "REFUSE" in os.environ:
            reason = "Traceback (most recent call last):\\n  File x\\nRuntimeError: the schema is stale\\n"
            await send({"type": "lifespan.startup.failed", "message": reason})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("room closed" if os.environ["ROOM_PORT"] in str(os.sys.argv) else "door closed", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
        return
    status = 200 if time.monotonic() - started > 0.3 else 503
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""
WORKER = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("at work", flush=True)
while True:
    time.sleep(0.05)
"""


@dataclass
class House:
    """A run under test."""

    home: Path
    port: int
    room: int
    extra: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def start(self) -> "House":
        env = {name: value for name, value in os.environ.items() if not name.startswith("ENCOURS_")}
        env |= {"ENCOURS_PORT": str(self.port), "ROOM_PORT": str(self.room), **self.extra}
        with self._output().open("w") as output:
            self._launch(env, output)
        return self

    def _output(self) -> Path:
        return self.home.parent / f"output-{self.port}"

    def _launch(self, env: dict[str, str], output: TextIO) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(self.home.parent)],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def said(self) -> str:
        return self._output().read_text() if self._output().exists() else ""

    def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process is not None
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def ready(self) -> "House":
        self.until(lambda: "make stop" in self.said().rpartition("ready on")[2] or self.ended())
        assert not self.ended(), self.said()
        return self

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def close(self) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                self.process.terminate()
            self.process.wait(60)

    def pid(self, name: str) -> int:
        return int((self.home / "pids" / name).read_text().split()[0])

    def answer(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
            return str(answer.read().decode())

    def value(self, sql: str) -> object:
        return self.value_at(read_environment(self.home / "run.env")["ENCOURS_DATABASE_URL"], sql)

    def value_at(self, url: str, sql: str) -> object:
        return fetch_value(url.removesuffix("/encours") + "/postgres", sql)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    (tmp_path / "small.py").write_text(SMALL)
    (tmp_path / "worker.py").write_text(WORKER)
    one = House(tmp_path / ".encours", free_port(), free_port())
    yield one
    one.close()


def test_a_run_comes_up_ends_in_order_and_keeps_its_data(house: House) -> None:
    house.start().ready()
    assert house.answer().isdigit()
    env = read_environment(house.home / "run.env")
    assert (house.home / "run.env").stat().st_mode & 0o777 == 0o600
    assert (house.home / "keys" / "ledger.key").stat().st_mode & 0o777 == 0o600
    house.value("CREATE TABLE kept AS SELECT 42 AS answer")
    names = ["gateway", "ledger", "workers", "valkey", "postgres"]
    pids = [house.pid(name) for name in names]

    assert house.process is not None
    os.kill(house.process.pid, signal.SIGINT)
    assert house.process.wait(30) == 0
    assert "stopped" in house.said()
    assert [name for name, pid in zip(names, pids, strict=True) if born(pid)] == []
    assert not (house.home / "run.env").exists()
    gateway, ledger = ((house.home / "logs" / f"{name}.log").stat().st_mtime for name in names[:2])
    assert gateway <= ledger
    assert "door closed" in (house.home / "logs" / "gateway.log").read_text()
    assert "database system is shut down" in (house.home / "logs" / "postgres.log").read_text()

    house.start().ready()
    assert house.value("SELECT answer FROM kept") == 42
    again = read_environment(house.home / "run.env")
    assert again["ENCOURS_MASTER_KEY"] == env["ENCOURS_MASTER_KEY"]
    assert again["ENCOURS_BOOTSTRAP_KEY"] == env["ENCOURS_BOOTSTRAP_KEY"]


def test_whatever_dies_is_started_again(house: House) -> None:
    house.start().ready()
    house.value("CREATE TABLE kept AS SELECT 42 AS answer")
    for name in ("workers", "gateway", "valkey", "postgres"):
        before = house.pid(name)
        os.kill(before, signal.SIGKILL)
        house.until(lambda name=name: f"{name} was started again" in house.said())  # type: ignore[misc]
        assert house.pid(name) != before
        assert f"{name} stopped (SIGKILL)" in house.said()
    house.until(lambda: _quiet(house.answer).isdigit())
    assert house.value("SELECT answer FROM kept") == 42


def test_a_worker_that_keeps_failing_is_started_less_and_less_often(house: House) -> None:
    (house.home.parent / "worker.py").write_text("raise ConnectionError('Redis dropped')")
    house.start()
    house.until(lambda: house.said().count("workers stopped") >= 3)
    delays = re.findall(
        r"workers stopped \(exit code 1\): ConnectionError: Redis dropped; again in (\S+) s", house.said()
    )
    assert delays[:3] == ["0.5", "1", "2"]


def test_a_second_run_in_one_checkout_is_refused_in_one_line(house: House) -> None:
    house.start().ready()
    second = House(house.home, free_port(), free_port())
    second.start()
    assert second.process is not None
    assert second.process.wait(20) == 2
    assert house.process is not None
    assert second.said().splitlines() == [
        f"encours: already running here (process {house.process.pid}): `make stop` ends it"
    ]
    assert house.answer().isdigit()


def test_stop_from_another_shell(house: House) -> None:
    assert stop_running(house.home) is False
    house.start().ready()
    assert is_running(house.home)
    assert stop_running(house.home) is True
    assert house.process is not None
    assert house.process.wait(5) == 0
    assert not is_running(house.home)


def test_stop_does_not_signal_a_number_that_is_only_written_down(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    (tmp_path / "run.lock").write_text(str(bystander.pid))
    assert stop_running(tmp_path) is False
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_port_in_use_is_one_line_and_nothing_is_left_running(house: House) -> None:
    with _listening(house.port):
        house.start()
        assert house.process is not None
        assert house.process.wait(20) == 2
    assert house.said().splitlines() == [
        f"encours: port {house.port} is in use: stop what holds it or set ENCOURS_PORT to another port"
    ]
    assert not (house.home / "postgres").exists()


def test_a_process_that_does_not_come_up_ends_the_run_with_its_reason(house: House) -> None:
    house.extra = {"REFUSE": "1"}
    house.start()
    assert house.process is not None
    assert house.process.wait(60) == 2
    assert "RuntimeError: the schema is stale" in house.said().splitlines()[-1]
    assert "Traceback" not in house.said()
    assert list((house.home / "pids").iterdir()) == []


def test_after_kill_9_of_the_supervisor_nothing_runs_and_the_next_run_finds_the_data(house: House) -> None:
    house.start().ready()
    house.value("CREATE TABLE kept AS SELECT 42 AS answer")
    pids = [house.pid(name) for name in ("gateway", "ledger", "workers", "valkey", "postgres")]
    assert house.process is not None
    house.process.kill()
    house.process.wait()
    if sys.platform == "linux":
        house.until(lambda: not any(born(pid) for pid in pids))
    house.start().ready()
    assert house.value("SELECT answer FROM kept") == 42


def test_given_servers_are_used_and_nothing_embedded_starts(house: House) -> None:
    with test_servers() as given:
        house.extra = {"ENCOURS_DATABASE_URL": given.database_url, "ENCOURS_REDIS_URL": given.redis_url}
        house.start().ready()
        assert read_environment(house.home / "run.env")["ENCOURS_REDIS_URL"] == given.redis_url
        assert {path.name for path in (house.home / "pids").iterdir()} == {"gateway", "ledger", "workers"}
        house.close()
        assert house.value_at(given.database_url, "SELECT 1") == 1
    assert not (house.home / "postgres").exists()
    house.start()
    assert house.process is not None
    assert house.process.wait(20) == 2
    assert (
        house.said().splitlines()[-1].startswith("encours: ENCOURS_DATABASE_URL: no answer from 127.0.0.1:")
    )


def test_interrupted_on_the_way_up_it_leaves_nothing(house: House) -> None:
    house.start()
    house.until(lambda: "postgres answers" in house.said())
    pid = house.pid("postgres")
    assert house.process is not None
    os.kill(house.process.pid, signal.SIGTERM)
    assert house.process.wait(30) == 0
    assert born(pid) is None


def _listening(port: int):  # type: ignore[no-untyped-def]
    import socket

    return socket.create_server(("127.0.0.1", port))


def _quiet(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except OSError:
        return ""
