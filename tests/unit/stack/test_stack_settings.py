"""What `make run` accepts from its environment, and what it says otherwise."""

import base64
import shlex
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.stack.errors import StackError
from libs.stack.keys import ISSUERS, make_key_pairs, new_master_key
from libs.stack.last_words import last_words
from libs.stack.ports import choose, free_port, require_free
from libs.stack.programs import environment, http_programs, preferred_ports
from libs.stack.run import read_environment, write_environment
from libs.stack.servers import Addresses
from libs.stack.settings import StackSettings, read_settings
from libs.stack.supervisor import ending

GOOD_KEY = base64.urlsafe_b64encode(bytes(32)).decode()


def test_nothing_given_means_everything_is_made_here(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path) == StackSettings(home=tmp_path / ".encours")
    assert read_settings({"ENCOURS_DATABASE_URL": " ", "ENCOURS_PORT": ""}, tmp_path).database_url is None


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ENCOURS_PORT", "eighty", "ENCOURS_PORT must be a port between 1 and 65535, not 'eighty'"),
        ("ENCOURS_PORT", "0", "ENCOURS_PORT must be a port"),
        ("ENCOURS_PORT", "65536", "ENCOURS_PORT must be a port"),
        ("ENCOURS_PORT", "-1", "ENCOURS_PORT must be a port"),
        ("ENCOURS_PORT", "８０８０", "ENCOURS_PORT must be a port"),
        (
            "ENCOURS_DATABASE_URL",
            "mysql://me:hidden@host/encours",
            "ENCOURS_DATABASE_URL must look like postgresql:",
        ),
        ("ENCOURS_DATABASE_URL", "postgresql://me:hidden@host:5432", "ENCOURS_DATABASE_URL must look like"),
        (
            "ENCOURS_DATABASE_URL",
            "postgresql://me:hidden@host:port/encours",
            "ENCOURS_DATABASE_URL must look like",
        ),
        ("ENCOURS_REDIS_URL", "http://:hidden@host", "ENCOURS_REDIS_URL must look like redis:"),
        ("ENCOURS_REDIS_URL", "redis://", "ENCOURS_REDIS_URL must look like redis:"),
        ("ENCOURS_MASTER_KEY", "hidden", "ENCOURS_MASTER_KEY must be 32 bytes in base64url"),
        ("ENCOURS_MASTER_KEY", "=hidden=", "ENCOURS_MASTER_KEY must be 32 bytes in base64url"),
    ],
)
def test_a_broken_setting_is_one_line_that_names_it_and_keeps_secrets(
    name: str, value: str, sentence: str
) -> None:
    with pytest.raises(StackError) as refused:
        read_settings({name: value})
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENCOURS_DATABASE_URL", "postgresql://me:secret@db.example:5433/encours"),
        ("ENCOURS_DATABASE_URL", "postgres://me@db.example/encours?sslmode=require"),
        ("ENCOURS_REDIS_URL", "rediss://:secret@cache.example/0"),
        ("ENCOURS_MASTER_KEY", GOOD_KEY),
        ("ENCOURS_MASTER_KEY", GOOD_KEY.rstrip("=")),
        ("ENCOURS_PORT", "1"),
        ("ENCOURS_PORT", "65535"),
    ],
)
def test_what_works_is_accepted(name: str, value: str) -> None:
    read_settings({name: value})


def test_a_port_in_use_is_named_with_the_setting_that_changes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} is in use: .* set ENCOURS_PORT"):
            require_free(port, "ENCOURS_PORT")
    require_free(port, "ENCOURS_PORT")


def test_ports_are_the_preferred_ones_where_free_and_never_the_same_twice() -> None:
    wish = free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = choose(
            {"mine": wish, "taken": taken.getsockname()[1], "also": wish, "beyond": 70000, "below": -3}
        )
        assert ports["taken"] != taken.getsockname()[1]
    assert ports["mine"] == wish
    assert len(set(ports.values())) == 5


def test_keys_are_made_once_and_only_the_owner_reads_the_private_half(tmp_path: Path) -> None:
    make_key_pairs(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{who}.{half}" for who in ISSUERS for half in ("key", "pub")
    }
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len({content for name, content in before.items() if name.endswith(".key")}) == len(ISSUERS)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.glob("*.key"))
    (tmp_path / "risk.pub").unlink()
    (tmp_path / "credit.pub").write_bytes(before["ledger.pub"])
    make_key_pairs(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "risk.key").write_text("not a key")
    with pytest.raises(StackError, match=r"risk\.key is not a private key"):
        make_key_pairs(tmp_path)


def test_secrets_are_kept_and_what_the_operator_set_passes_through(tmp_path: Path) -> None:
    settings = StackSettings(home=tmp_path, port=9000)
    ports = preferred_ports(9000) | {"gateway": 9000}
    servers = Addresses("postgresql://encours@127.0.0.1:1/encours", "redis://127.0.0.1:2/0")
    first = environment(settings, ports, servers, {"ENCOURS_LOG_LEVEL": "debug", "ENCOURS_SMTP_URL": ""})
    assert first["ENCOURS_GATEWAY_URL"] == "http://127.0.0.1:9000"
    assert first["ENCOURS_DUNNING_URL"] == "http://127.0.0.1:9004"
    assert first["ENCOURS_LOG_LEVEL"] == "debug"
    assert first["ENCOURS_SMTP_URL"] == "smtp://127.0.0.1:9006"
    assert len(base64.urlsafe_b64decode(first["ENCOURS_MASTER_KEY"])) == 32
    second = environment(settings, ports, servers, {"ENCOURS_SMTP_URL": "smtp://mail.example:25"})
    assert second["ENCOURS_SMTP_URL"] == "smtp://mail.example:25"
    for name in ("ENCOURS_MASTER_KEY", "ENCOURS_BOOTSTRAP_KEY"):
        assert second[name] == first[name]
    given_key = environment(settings, ports, servers, {"ENCOURS_MASTER_KEY": GOOD_KEY})
    assert given_key["ENCOURS_MASTER_KEY"] == GOOD_KEY
    assert read_settings({"ENCOURS_MASTER_KEY": new_master_key()}) is not None


def test_every_http_process_is_ready_where_its_peers_look_for_it(tmp_path: Path) -> None:
    ports = preferred_ports(8080) | {"gateway": 8080}
    env = environment(StackSettings(home=tmp_path), ports, Addresses("d", "r"), {})
    for program in http_programs(ports):
        assert program.url == env[f"ENCOURS_{program.name.upper()}_URL"]
        assert program.command[program.command.index("--port") + 1] == str(program.url).rpartition(":")[2]
        assert f"services.{program.name}.app:create_app" in program.command


NAMES = st.from_regex(r"ENCOURS_[A-Z]{1,8}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_the_environment_file_says_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("env") / "run.env"
    write_environment(path, env | {"HOME": "/not/ours"})
    assert read_environment(path) == env


def test_a_shell_reads_the_environment_file(tmp_path: Path) -> None:
    value = 'postgresql://me:it\'s $HOME `x` "q"@h/e'
    write_environment(tmp_path / "run.env", {"ENCOURS_DATABASE_URL": value})
    script = f'. {shlex.quote(str(tmp_path / "run.env"))}; printf %s "$ENCOURS_DATABASE_URL"'
    assert (
        subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout == value
    )


@pytest.mark.parametrize(
    ("log", "why"),
    [
        ("starting\nlistening\n\n", "listening"),
        ("", ""),
        ("FATAL:  could not bind\nHINT:  another?\nLOG:  shut down\n", "FATAL:  could not bind"),
        (
            "ERROR:    Traceback (most recent call last):\n  File x\n    raise\napp.Stale: run migrate\n\nERROR: Exiting.\n",
            "app.Stale: run migrate",
        ),
        (
            "Traceback (most recent call last):\n  a\nValueError: 1\n\nDuring handling:\n\n"
            "Traceback (most recent call last):\n  b\nKeyError: 2\n",
            "KeyError: 2",
        ),
    ],
)
def test_last_words_tell_the_reason(tmp_path: Path, log: str, why: str) -> None:
    path = tmp_path / "log"
    path.write_text(log)
    assert last_words(path) == why
    path.write_text(f"Traceback (most recent call last):\n  a\nOldError: gone\n{log}")
    assert last_words(path, since=path.stat().st_size - len(log)) == why


def test_last_words_of_what_never_spoke(tmp_path: Path) -> None:
    assert last_words(tmp_path / "absent") == ""


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "SIGKILL"), (None, "still running")]
)
def test_an_ending_in_words(code: int | None, words: str) -> None:
    assert ending(code) == words
