"""Files, through the gateway."""

import hashlib
import io
import zipfile

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.stack import Stack
from libs.testkit.tenant import TestTenant
from services.gateway.storage.files import CHUNK

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x00" * 32


async def test_a_file_comes_back_byte_for_byte(stack: Stack, tenant: TestTenant) -> None:
    body = PDF + b"x" * (2 * CHUNK)
    sent = await tenant.client.post(
        "/v1/files", params={"name": "états 2026.pdf"}, content=body, headers={"content-type": "text/html"}
    )
    assert sent.status_code == 201, sent.text
    file = sent.json()
    assert (file["media_type"], file["size"]) == ("application/pdf", len(body))
    assert file["sha256"] == hashlib.sha256(body).hexdigest()
    assert (await tenant.client.get(sent.headers["location"])).json() == file

    read = await tenant.client.get(f"/v1/files/{file['id']}/content")
    assert read.content == body
    assert read.headers["content-type"] == "application/pdf"
    assert read.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9tats%202026.pdf"
    assert read.headers["x-content-type-options"] == "nosniff"
    head = await tenant.client.head(f"/v1/files/{file['id']}/content")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(body)))

    again = await tenant.client.post("/v1/files", params={"name": "états 2026.pdf"}, content=body)
    assert (again.status_code, again.json()["id"]) == (200, file["id"])
    other = await tenant.client.post("/v1/files", params={"name": "copy.pdf"}, content=body)
    assert other.status_code == 201 and other.json()["id"] != file["id"]
    count = "SELECT count(*) FROM file_chunks WHERE tenant_id = $1"
    assert (await stack.sql("gateway", count, tenant.id))[0][0] == 3, "the bytes are kept once"


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "a")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "declared", "found"),
    [
        (PNG, "application/pdf", "image/png"),
        (b"a;b\n1;2\n", "text/csv; charset=utf-8", "text/csv"),
        ("prénom;nom\n".encode("cp1252"), "text/csv", "text/csv"),
        (b"<html><script>alert(1)</script></html>", "text/html", "text/plain"),
        (_zip(), "", "application/zip"),
        (b"\x7fELF\x02\x01\x01" + b"\x00" * 64, "application/pdf", None),
        (b"MZ\x90\x00" + b"\x00" * 64, "text/plain", None),
        (b"plain\x00text", "text/plain", None),
        (b"", "text/plain", None),
    ],
)
async def test_the_type_is_read_from_the_bytes(
    tenant: TestTenant, body: bytes, declared: str, found: str | None
) -> None:
    headers = {"content-type": declared} if declared else {}
    sent = await tenant.client.post("/v1/files", params={"name": "f"}, content=body, headers=headers)
    if found is None:
        assert (sent.status_code, sent.json()["errors"][0]["code"]) == (422, "file_type_refused")
    else:
        assert (sent.status_code, sent.json()["media_type"]) == (201, found)


async def test_who_may_and_how_much(tenant: TestTenant, make_tenant: MakeTenant) -> None:
    kept = (await tenant.client.post("/v1/files", params={"name": "a.pdf"}, content=PDF)).json()
    neighbour = await make_tenant()
    for path in (f"/v1/files/{kept['id']}", f"/v1/files/{kept['id']}/content"):
        assert (await neighbour.client.get(path)).status_code == 404
    key = {"name": "reader", "scopes": ["ledger:read", "risk:read"]}
    reader = tenant.client_of((await tenant.client.post("/v1/api-keys", json=key)).json()["key"])
    assert (await reader.post("/v1/files", params={"name": "a.pdf"}, content=PDF)).status_code == 403
    assert (await reader.get(f"/v1/files/{kept['id']}/content")).content == PDF
    name = await tenant.client.post("/v1/files", params={"name": "../a.pdf"}, content=PDF)
    assert name.status_code == 422
    large = await tenant.client.post("/v1/files", params={"name": "a.pdf"}, content=PDF + b"x" * 20 * 1024**2)
    assert large.status_code == 413
