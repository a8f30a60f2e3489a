"""The compose file runs the same processes, told the same settings, as `make run`."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.kit.settings import Settings
from libs.stack.programs import http_programs, migration, preferred_ports, workers

ROOT = Path(__file__).resolve().parents[3]
SERVERS = {"postgres", "valkey"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    return loaded


def test_every_process_is_there_and_no_other(compose: dict[str, Any]) -> None:
    ours = {name: service["command"] for name, service in compose["services"].items() if name not in SERVERS}
    expected: dict[str, list[str]] = {"keys": ["python", "-m", "libs.stack", "keys", "/keys"]}
    expected["migration"] = ["python", *migration().command[1:]]
    for program in http_programs(preferred_ports(8080) | {"gateway": 8080}):
        command = list(program.command[2:])
        command[command.index("--host") + 1] = "0.0.0.0"
        command[command.index("--port") + 1] = "8000"
        expected[program.name] = command
    for name in workers().command[3:]:
        expected[f"{name}-worker"] = ["python", *workers().command[1:3], name]
    assert ours == expected


def test_every_process_is_told_settings_that_exist(compose: dict[str, Any]) -> None:
    known = {f"ENCOURS_{name.upper()}" for name in Settings.model_fields}
    required = {
        f"ENCOURS_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()
    }
    for name, service in compose["services"].items():
        if name not in SERVERS:
            assert set(service["environment"]) <= known, name
            assert required <= set(service["environment"]), name


def test_peers_are_looked_for_where_they_run(compose: dict[str, Any]) -> None:
    environment = compose["services"]["ledger"]["environment"]
    for program in http_programs(preferred_ports(8080) | {"gateway": 8080}):
        assert environment[f"ENCOURS_{program.name.upper()}_URL"] == f"http://{program.name}:8000"


def test_what_the_image_copies_exists() -> None:
    for line in (ROOT / "deploy" / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
