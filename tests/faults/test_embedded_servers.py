"""The embedded servers come up from whatever state the last run left them in."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.stack.errors import StackError
from libs.stack.ports import free_port
from libs.stack.postgres import Postgres, check_external, fetch_value
from libs.stack.processes import born, command_line
from libs.stack.valkey import Valkey, ping
from libs.stack.valkey import check_external as check_redis
from libs.testkit.servers import test_servers

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory others may pass through, as `.encours` is; pytest closes its own to them whenever a session starts."""
    with tempfile.TemporaryDirectory(prefix="encours-test-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o711)
        yield directory


@pytest.fixture
def postgres(reachable: Path) -> Iterator[Postgres]:
    log = reachable / "postgres.log"
    server = Postgres(reachable / "postgres", free_port(), log=log, password="p/w:ö#", testing=True)
    server.start()
    yield server
    server.stop(5)


def on(server: Postgres, sql: str) -> object:
    return fetch_value(server.url.removesuffix("/encours") + "/postgres", sql)


def test_is_postgresql_18_with_unicode_and_stable_sorting(postgres: Postgres) -> None:
    assert int(str(on(postgres, "SHOW server_version_num"))) >= 180000
    assert on(postgres, "SELECT upper('société œuf')") == "SOCIÉTÉ ŒUF"
    assert on(postgres, "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['a','B','é','Z']) x") == "BZaé"
    assert on(postgres, "SHOW timezone") == "UTC"
    assert on(postgres, "SHOW jit") == "off"


def test_password_is_asked_for(postgres: Postgres) -> None:
    with pytest.raises(Exception, match="password authentication failed"):
        fetch_value(f"postgresql://encours:wrong@127.0.0.1:{postgres.port}/postgres", "SELECT 1")


def test_data_survives_kill_9_of_the_server(postgres: Postgres) -> None:
    on(postgres, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(postgres.pid, signal.SIGKILL)
    while postgres.alive:
        time.sleep(0.01)
    postgres.start()
    assert on(postgres, "SELECT answer FROM kept") == 42


def test_a_lock_file_with_somebody_elses_number_does_not_prevent_the_start(postgres: Postgres) -> None:
    postgres.kill()
    # PostgreSQL itself sees through its parent's number and those of other users: it takes one of its own user.
    identity = postgres.process._identity
    assert identity is not None
    with subprocess.Popen(["sleep", "60"], **identity.popen()) as bystander:
        lock = postgres._directory / "data" / "postmaster.pid"
        lock.write_text("\n".join([str(bystander.pid), *lock.read_text().splitlines()[1:]]))
        postgres.start()
        assert on(postgres, "SELECT 1") == 1
        assert bystander.poll() is None
        bystander.kill()


def test_a_server_left_behind_is_ended_before_its_data_is_used(postgres: Postgres) -> None:
    left = postgres.pid
    again = Postgres(
        postgres._directory, free_port(), log=postgres.log, password=postgres._password, testing=True
    )
    again.start()
    assert not postgres.alive
    assert again.pid != left
    assert on(again, "SELECT 1") == 1
    again.stop(5)


def test_an_interrupted_creation_is_begun_again(reachable: Path) -> None:
    half = reachable / "postgres" / "unfinished"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = Postgres(reachable / "postgres", free_port(), log=reachable / "log", testing=True)
    server.start()
    assert on(server, "SELECT 1") == 1
    server.stop(5)


def test_data_of_another_major_version_is_refused_in_one_line(reachable: Path) -> None:
    data = reachable / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(StackError, match="data of PostgreSQL 15, the server is 18: move it away") as refused:
        Postgres(reachable / "postgres", free_port(), log=reachable / "log").start()
    assert "\n" not in str(refused.value)


def test_a_port_in_use_is_said_in_one_line(postgres: Postgres, reachable: Path) -> None:
    second = Postgres(reachable / "second", postgres.port, log=reachable / "second.log", testing=True)
    with pytest.raises(StackError, match="did not start") as refused:
        second.start()
    assert "\n" not in str(refused.value)
    assert not second.alive


def test_the_wrong_password_for_existing_data_is_explained(postgres: Postgres) -> None:
    postgres.stop(5)
    other = Postgres(postgres._directory, free_port(), log=postgres.log, password="other", testing=True)
    with pytest.raises(StackError, match="another password"):
        other.start()
    assert not other.alive


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a process away")
def test_nobody_runs_the_server_for_root_even_where_nobody_cannot_go(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    private = tmp_path_factory.mktemp("private")
    private.chmod(0o700)
    server = Postgres(private / "postgres", free_port(), log=private / "log", testing=True)
    server.start()
    try:
        assert on(server, "SELECT 1") == 1
        assert "--map-user=65534" in " ".join(server.process._identity.prefix)  # type: ignore[union-attr]
    finally:
        server.stop(5)


def test_servers_end_with_a_parent_that_is_killed(reachable: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("needs Linux's death signal")
    program = (
        "import sys, time\n"
        "from libs.stack.servers import throwaway_servers\n"
        "from libs.stack.processes import command_line\n"
        "import tempfile; tempfile.tempdir = sys.argv[1]\n"
        "with throwaway_servers() as given:\n"
        "    print(given.database_url, given.redis_url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(reachable)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    database_url, redis_url = parent.stdout.readline().split()
    assert fetch_value(f"{database_url.removesuffix('/encours')}/postgres", "SELECT 1") == 1
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text()
    pids = [int(pid) for pid in children.split()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while any(born(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [command_line(pid) for pid in pids if born(pid)] == []
    with pytest.raises(OSError):
        ping(redis_url)


def test_valkey_asks_for_its_password_and_forgets_everything(reachable: Path) -> None:
    server = Valkey(reachable / "valkey", free_port(), log=reachable / "log", password="secret")
    server.start()
    try:
        assert ping(server.url)
        assert not ping(f"redis://127.0.0.1:{server.port}/0")
        assert "secret" not in command_line(server.pid)
        with pytest.raises(StackError, match="refuses the password"):
            check_redis(f"redis://:wrong@127.0.0.1:{server.port}/0", "ENCOURS_REDIS_URL")
        server.kill()
        server.start()
        assert ping(server.url)
    finally:
        server.stop()
    assert [path.name for path in (reachable / "valkey").iterdir()] == ["valkey.conf"]


def test_given_servers_that_do_not_answer_are_named_without_their_password() -> None:
    port = free_port()
    with pytest.raises(StackError, match=f"ENCOURS_DATABASE_URL: no answer from 127.0.0.1:{port}") as refused:
        check_external(f"postgresql://me:hidden@127.0.0.1:{port}/encours", "ENCOURS_DATABASE_URL")
    assert "hidden" not in str(refused.value)
    with pytest.raises(StackError, match=f"ENCOURS_REDIS_URL: no answer from 127.0.0.1:{port}"):
        check_redis(f"redis://:hidden@127.0.0.1:{port}/0", "ENCOURS_REDIS_URL")


def test_throwaway_servers_are_empty_fast_and_gone_afterwards() -> None:
    with test_servers() as given:
        stem = given.database_url.removesuffix("/encours")
        assert fetch_value(f"{stem}/postgres", "SHOW fsync") == "off"
        assert (
            fetch_value(f"{stem}/postgres", "SELECT count(*) FROM pg_database WHERE NOT datistemplate") == 1
        )
        assert ping(given.redis_url)
    with pytest.raises(OSError):
        ping(given.redis_url)
