"""The README does what it says: its commands, in its order, in one shell, against the house."""

import asyncio
import json
import os
import re
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from libs.kit import pdf
from libs.kit.settings import Settings
from libs.testkit.tenant import TestTenant
from services.sandbox.demo import DemoState

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MAKE = re.compile(r"(?:make [a-z-]+\n)+")
_BETWEEN = "=====next block====="


@pytest.fixture(scope="module")
def readme(pytestconfig: pytest.Config) -> str:
    return (pytestconfig.rootpath / "README.md").read_text()


def blocks(readme: str) -> list[tuple[str, str]]:
    """Language and text of every fenced block."""
    found = _BLOCK.findall(readme)
    assert readme.count("\n```") == 2 * len(found), "a block without an end, or without a language"
    assert {language for language, _ in found} <= {"bash", "python"}, "a block that nobody runs"
    return found


def script(readme: str) -> str:
    """All blocks as one script; those that start or stop the house are left to the tests of its supervisor."""
    parts = ["set -euo pipefail"]
    for language, text in blocks(readme):
        if _MAKE.fullmatch(text):
            continue
        parts.append(f"echo {_BETWEEN}")
        parts.append(text if language == "bash" else f"python3 - <<'END_OF_PYTHON'\n{text}END_OF_PYTHON")
    return "\n".join(parts)


@pytest.mark.feature("L4", "L22", "F2", "F3", "F4")
async def test_its_commands_move_money(readme: str, make_tenant, tmp_path: Path) -> None:
    house: TestTenant = await make_tenant(now="2026-03-02T09:00:00Z")
    await one_late_customer(house)
    DemoState(house.stack.url("gateway"), house.api_key).write(tmp_path / ".encours" / "demo.env")

    outputs = (await in_a_shell(script(readme), tmp_path)).split(_BETWEEN)[1:]
    assert len(outputs) == 6, "a block came or went: say here what it shows"
    _, before, paid, after, delta, snapshot = outputs

    assert owed(before) - owed(after) == Decimal("100.00")
    assert Decimal(json.loads(paid)["amount"]) == Decimal("100.00")
    customers, items = documents(delta)
    assert (customers["status"], customers["counts"]["created"]) == ("completed", 1)
    assert (items["status"], items["counts"]["created"]) == ("completed", 2)
    held, confirmed = snapshot.strip().splitlines()
    assert held.startswith("held ") and confirmed.startswith("completed ")
    assert "'closed': 1" in confirmed

    again = (await in_a_shell(script(readme), tmp_path)).split(_BETWEEN)[1:]
    assert owed(again[3]) == owed(after), "the same payment under the same key is taken once"


def test_the_make_targets_it_names_exist(readme: str, pytestconfig: pytest.Config) -> None:
    known = re.findall(r"^([a-z-]+):", (pytestconfig.rootpath / "Makefile").read_text(), re.MULTILINE)
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)(?=`|$)", readme, re.MULTILINE))
    assert {"run", "stop", "reset", "test", "help"} <= named <= set(known)


def test_it_lists_every_setting(readme: str) -> None:
    told = set(re.findall(r"ENCOURS_[A-Z_]+", readme))
    known = {f"ENCOURS_{name.upper()}" for name in Settings.model_fields} | {"ENCOURS_PORT", pdf.OWN_FONTS}
    assert known - told == set()
    assert told - known == {"ENCOURS_URL", "ENCOURS_API_KEY"}


def test_the_folders_and_pages_it_names_exist(readme: str, pytestconfig: pytest.Config) -> None:
    folders = re.findall(r"^\| `([a-z/]+)` \|", readme, re.MULTILINE)
    named = folders + re.findall(r"\]\((?!https?:)([^)]+)\)", readme)
    assert len(named) > 10
    assert [name for name in named if not (pytestconfig.rootpath / name).exists()] == []


async def one_late_customer(house: TestTenant) -> None:
    customer = {"external_id": "C-1", "name": "Fonderie du Pilat", "company": {"country": "FR"}}
    made = await house.client.post("/v1/customers", json=customer | {"currency": "EUR"})
    assert made.status_code == 201, made.text
    invoice = {
        "kind": "invoice",
        "external_id": "F-1",
        "number": "F-1",
        "customer_external_id": "C-1",
        "currency": "EUR",
    }
    dated = {"issue_date": "2026-01-01", "due_date": "2026-02-01", "amount": "250.00"}
    made = await house.client.post("/v1/items", json=invoice | dated)
    assert made.status_code == 201, made.text


async def in_a_shell(text: str, directory: Path) -> str:
    """What a script printed. It has nothing from the environment but where the tools are."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", text, cwd=directory, env={"PATH": path},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, complaint = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, f"{said.decode()}\n{complaint.decode()}"
    return said.decode()


def owed(answer: str) -> Decimal:
    (row,) = json.loads(answer)["data"]
    return Decimal(row["outstanding"])


def documents(text: str) -> list[dict[str, object]]:
    """JSON documents, one after another."""
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found
