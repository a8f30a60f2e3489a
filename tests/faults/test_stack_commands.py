"""`make migrate`, `make migration` and `make reset`: commands beside a run, without one, and on throwaway servers."""

import sys
from pathlib import Path

import pytest

from libs.stack.__main__ import execute, main, reset
from libs.stack.errors import StackError
from libs.stack.lock import run_lock
from libs.stack.run import write_environment
from libs.stack.settings import StackSettings
from libs.testkit.servers import test_servers

SHOW = """
import asyncio, asyncpg, os, sys
async def main():
    url = os.environ["ENCOURS_DATABASE_URL"].removesuffix("/encours") + "/postgres"
    connection = await asyncpg.connect(url)
    for statement in sys.argv[2:]:
        await connection.execute(statement)
    found = await connection.fetch("SELECT relname FROM pg_class WHERE relname = 'kept'")
    await connection.close()
    open(sys.argv[1], "w").write(f"{len(found)} {os.environ['ENCOURS_KEYS_DIR']} {len(os.environ['ENCOURS_MASTER_KEY'])}")
asyncio.run(main())
"""


def show(settings: StackSettings, answer: Path, *statements: str, throwaway: bool = False) -> str:
    code = execute(
        ["--", sys.executable, "-c", SHOW, str(answer), *statements], settings, throwaway=throwaway
    )
    assert code == 0
    return answer.read_text().split()[0]


def test_a_command_finds_the_servers_of_the_checkout_started_and_the_data_kept(tmp_path: Path) -> None:
    settings = StackSettings(home=tmp_path / ".encours", port=9700)
    answer = tmp_path / "answer"
    assert show(settings, answer, "CREATE TABLE kept ()") == "1"
    assert answer.read_text().split()[1:] == [str(settings.home / "keys"), "44"]
    assert show(settings, answer) == "1"
    assert show(settings, answer, throwaway=True) == "0"
    assert execute(["--", sys.executable, "-c", "raise SystemExit(7)"], settings, throwaway=False) == 7


def test_a_command_beside_a_run_works_on_its_servers(tmp_path: Path) -> None:
    settings = StackSettings(home=tmp_path / ".encours", port=9700)
    with run_lock(settings.home), test_servers() as given:
        told = {
            "ENCOURS_DATABASE_URL": given.database_url,
            "ENCOURS_KEYS_DIR": "k",
            "ENCOURS_MASTER_KEY": "m",
        }
        write_environment(settings.environment_file, told)
        assert show(settings, tmp_path / "answer") == "0"
        assert (tmp_path / "answer").read_text() == "0 k 1"
    assert not (settings.home / "postgres").exists()


def test_reset_deletes_this_checkout_and_nothing_else(tmp_path: Path) -> None:
    settings = StackSettings(home=tmp_path / ".encours")
    (settings.home / "postgres" / "data").mkdir(parents=True)
    (settings.home / "demo.env").write_text("ENCOURS_API_KEY=x")
    (tmp_path / "other").write_text("stays")
    with run_lock(settings.home), pytest.raises(StackError, match="already running here"):
        reset(settings)
    assert (settings.home / "postgres" / "data").exists()
    reset(settings)
    assert [path.name for path in settings.home.iterdir()] == ["run.lock"]
    assert (tmp_path / "other").exists()


def test_what_prevents_a_command_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENCOURS_PORT", "many")
    assert main(["run"]) == 2
    assert capsys.readouterr().err == "encours: ENCOURS_PORT must be a port between 1 and 65535, not 'many'\n"
    monkeypatch.delenv("ENCOURS_PORT")
    assert main(["exec"]) == 2
    assert capsys.readouterr().err == "encours: exec: which command?\n"
