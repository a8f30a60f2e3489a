"""The operator's command line, as a process of its own."""

import asyncio
import gzip
import os
import sys
from pathlib import Path
from uuid import uuid4

import httpx

from libs.testkit.stack import Stack
from libs.testkit.tenant import TestTenant

ROWS = b'{"external_id": "C-1", "name": "Fonderie des Alpes", "company": {"country": "FR"}}\n'


async def _encours(stack: Stack, *arguments: str, **environment: str) -> tuple[int, str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENCOURS_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.gateway.cli", *arguments,
        env=inherited | stack.environment | environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_tenant_from_its_first_key_to_its_end(stack: Stack) -> None:
    code, out, err = await _encours(stack, "tenant", "create", "Aciéries du Rhône", "--currency", "CHF")
    assert (code, err) == (0, "")
    tenant, key = out.split()[1], out.split()[3]
    async with httpx.AsyncClient(base_url=stack.url("gateway"), trust_env=False, verify=False) as client:

        async def status(with_key: str) -> int:
            answer = await client.get("/v1/me", headers={"authorization": f"Bearer {with_key}"})
            return answer.status_code

        me = (await client.get("/v1/me", headers={"authorization": f"Bearer {key}"})).json()
        assert (me["tenant_name"], me["currency"], me["sandbox"]) == ("Aciéries du Rhône", "CHF", False)

        code, out, _ = await _encours(
            stack, "key", "create", "ERP", "--tenant", tenant, "--scopes", "ledger:read,ledger:write"
        )
        erp = out.split()[1]
        shown = (await client.get("/v1/me", headers={"authorization": f"Bearer {erp}"})).json()
        assert shown["scopes"] == ["ledger:read", "ledger:write"]

        assert (await _encours(stack, "tenant", "suspend", tenant))[0] == 0
        _, unsaid, why = await _encours(stack, "tenant", "delete", tenant)
        assert unsaid == "" and why.startswith("encours: ") and "--yes" in why
        third = (await _encours(stack, "key", "create", "late", "--tenant", tenant))[1].split()[1]
        assert await status(third) == 401, "a suspended tenant's keys are refused"
        assert (await _encours(stack, "tenant", "resume", tenant))[0] == 0
        assert await status(third) == 200
        assert (await _encours(stack, "tenant", "delete", tenant, "--yes"))[0] == 0


async def test_what_goes_wrong_is_one_line(stack: Stack, tmp_path: Path) -> None:
    rows = tmp_path / "rows.ndjson"
    rows.write_bytes(ROWS)
    push = ("import", str(rows), "--kind", "customers")
    gateway = ("--url", stack.url("gateway"))
    for arguments, environment, reason in [
        (("tenant", "create", "T", "--currency", "XXQ"), {}, "XXQ"),
        (("tenant", "suspend", str(uuid4())), {}, "There is no tenant"),
        (("key", "create", "k", "--tenant", str(uuid4()), "--scopes", "everything"), {}, "everything"),
        (
            ("tenant", "create", "T"),
            {"ENCOURS_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"},
            "database",
        ),
        (("tenant", "create", "T"), {"ENCOURS_DATABASE_URL": ""}, "ENCOURS_DATABASE_URL"),
        (push, {}, "ENCOURS_KEY"),
        ((*push, "--key", "enc_wrong", *gateway), {}, "401 unauthenticated"),
        ((*push, "--key", "enc_wrong", "--url", "http://127.0.0.1:9"), {}, "does not answer"),
        (("import", "nothing.csv", "--kind", "items", "--key", "k", *gateway), {}, "nothing.csv"),
        (("import", "rows.txt", "--kind", "items", "--key", "k", *gateway), {}, ".ndjson"),
    ]:
        code, out, err = await _encours(stack, *arguments, **environment)
        assert (code, out) == (1, ""), (arguments, out, err)
        assert err.startswith("encours: ") and err.count("\n") == 1, (arguments, err)
        assert reason in err, (arguments, err)


async def test_a_file_is_pushed_and_what_became_of_it_is_said(
    stack: Stack, tenant: TestTenant, tmp_path: Path
) -> None:
    await tenant.settle()
    rows = tmp_path / "customers.ndjson.gz"
    rows.write_bytes(gzip.compress(ROWS + b'{"external_id": "C-2"}\n'))
    told = {"ENCOURS_URL": stack.url("gateway"), "ENCOURS_KEY": tenant.api_key}
    code, out, err = await _encours(stack, "import", str(rows), "--kind", "customers", **told)
    assert (code, err) == (0, ""), err
    assert "completed" in out and "1 created" in out and "1 rejected" in out
    assert "row 2  /name" in out
    found = (await tenant.client.get("/v1/customers")).json()["data"]
    assert [customer["external_id"] for customer in found] == ["C-1"]
