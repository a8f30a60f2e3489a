"""Only what this checkout started is ended, never a bystander that got the same number."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.stack import leftovers
from libs.stack.processes import Process, born, command_line


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_a_noted_process_is_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    leftovers.note(tmp_path, "ledger", sleeper.pid)
    assert leftovers.end(tmp_path) == ["ledger"]
    assert sleeper.wait(1) == -15
    assert list(tmp_path.iterdir()) == []
    assert leftovers.end(tmp_path) == []


def test_a_process_with_the_number_but_another_birth_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    (tmp_path / "ledger").write_text(f"{sleeper.pid} 12345")
    (tmp_path / "broken").write_text("no number")
    assert leftovers.end(tmp_path) == []
    assert sleeper.poll() is None
    assert list(tmp_path.iterdir()) == []


def test_a_birth_tells_processes_apart(sleeper: subprocess.Popen[bytes]) -> None:
    since = born(sleeper.pid)
    assert since == born(sleeper.pid)
    assert "time.sleep(60)" in command_line(sleeper.pid)
    sleeper.kill()
    deadline = time.monotonic() + 5
    while born(sleeper.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert born(sleeper.pid) is None, "one that ended and was not waited for does not run"


def test_a_process_that_will_not_listen_is_killed_with_its_children(tmp_path: Path) -> None:
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    process = Process("deaf", [sys.executable, "-c", script], log=tmp_path / "deaf.log")
    process.start()
    while not process.output().strip():
        time.sleep(0.02)
    child = int(process.output())
    began = time.monotonic()
    process.stop(grace=0.3)
    assert 0.3 <= time.monotonic() - began < 5
    assert process.exit_code == -9
    deadline = time.monotonic() + 5
    while born(child) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert born(child) is None
