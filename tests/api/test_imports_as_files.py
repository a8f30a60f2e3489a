"""Imports as files: formats, control totals, keys, saved mappings, versions, who sees what."""

import gzip
import json

import pytest

from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.import_steps import TODAY, counts, invoice, listed, ndjson, push, send

CSV = "text/csv"
DIALECT = {"separator": ";", "decimal": ",", "encoding": "cp1252", "date_formats": ["DD.MM.YYYY"]}
MAPPING = {
    "columns": {
        "TYP": {"to": "kind", "values": {"FAC": "invoice", "AV": "credit_note"}},
        "DOC": "external_id",
        "CLI": {"to": ["customer_external_id", "customer_name"]},
        "DATE": "issue_date",
        "DUE": "due_date",
        "TTC": "amount",
    },
    "constants": {"currency": "EUR"},
}
SHEET = "TYP;DOC;CLI;DATE;DUE;TTC\r\nFAC;F1;Aciéries;01.03.2026;31.03.2026;1234,56\r\nAV;A1;Aciéries;02.03.2026;;34,56\r\n"


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


@pytest.mark.parametrize(
    ("body", "query", "code"),
    [
        (ndjson([invoice(1)])[:-20], {}, "file_truncated"),
        (gzip.compress(ndjson([invoice(1)]))[:-9], {}, "gzip_truncated"),
        (ndjson([invoice(1)]), {"control_count": "2"}, "control_count_mismatch"),
        (ndjson([invoice(1)]), {"control_sum": "EUR:99.99"}, "control_sum_mismatch"),
        (ndjson([invoice(1)]), {"control_sum": "many"}, "control_invalid"),
        (b"\xff\xfe{\x00", {}, "encoding_invalid"),
    ],
)
async def test_a_bad_file_changes_nothing(
    ledger: ServiceClient, body: bytes, query: dict[str, str], code: str
) -> None:
    response = await send(ledger, body, **query)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, code), response.text
    assert await listed(ledger) == {}
    kept = (await ledger.get(f"/v1/imports/{problem['import_id']}")).json()
    assert (kept["status"], kept["error"]["code"]) == ("failed", code)


async def test_json_with_its_control_and_gzip(ledger: ServiceClient) -> None:
    rows = [invoice(1), invoice(2, kind="credit_note", amount="40.00")]
    document = {"data": rows, "control": {"count": 2, "sum": {"EUR": "60.00"}}}
    body = gzip.compress(json.dumps(document).encode())
    made = await send(
        ledger, body, media_type="application/json", headers={"content-encoding": "gzip"}, control_sum="60"
    )
    assert counts(made.json()) == {"received": 2, "created": 2}


async def test_csv_by_a_mapping_saved_for_its_source(ledger: ServiceClient) -> None:
    saved = await ledger.put("/v1/import-sources/sage/items", json={"dialect": DIALECT, "mapping": MAPPING})
    assert saved.status_code == 200, saved.text
    made = await send(ledger, SHEET.encode("cp1252"), media_type=CSV, source="sage")
    assert counts(made.json()) == {"received": 2, "created": 2}
    items = await listed(ledger)
    assert (items["F1"]["amount"], items["F1"]["customer_name"], items["A1"]["due_date"]) == (
        "1234.56", "Aciéries", "2026-03-02",
    )  # fmt: skip
    assert made.json()["totals"][0]["accepted"] == "1200.00"
    listing = (await ledger.get("/v1/import-sources")).json()["data"]
    assert [(one["source"], one["kind"]) for one in listing] == [("sage", "items")]
    assert (await ledger.delete("/v1/import-sources/sage/items")).status_code == 204
    assert (await ledger.get("/v1/import-sources/sage/items")).status_code == 404


async def test_csv_by_a_dialect_in_the_call(ledger: ServiceClient) -> None:
    query = {"dialect": json.dumps(DIALECT), "mapping": json.dumps(MAPPING)}
    made = await send(ledger, SHEET.encode("cp1252"), media_type=CSV, **query)
    assert counts(made.json()) == {"received": 2, "created": 2}
    wrong = await send(ledger, b"", media_type=CSV, dialect='{"separator": ";;"}')
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "dialect_invalid")
    other = await ledger.put("/v1/import-sources/sage/items", json={"mapping": {"nothing": 1}})
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/mapping")


async def test_older_versions_are_ignored_whenever_they_arrive(ledger: ServiceClient) -> None:
    await push(ledger, invoice(1, source_version=3, reference="third"), source="sap")
    late = await push(ledger, invoice(1, source_version=2, reference="second", amount="7.00"), source="sap")
    assert counts(late) == {"received": 1, "unchanged": 1}
    assert (await listed(ledger))["INV-1"]["reference"] == "third"
    # said again as version 5, so that 4, which said otherwise, comes too late
    assert counts(await push(ledger, invoice(1, source_version=5, reference="third"), source="sap")) == {
        "received": 1, "unchanged": 1,
    }  # fmt: skip
    await push(ledger, invoice(1, source_version=4, reference="fourth"), source="sap")
    assert (await listed(ledger))["INV-1"]["reference"] == "third"
    await push(ledger, invoice(1, source_version=6, reference="sixth"), source="sap")
    assert (await listed(ledger))["INV-1"]["reference"] == "sixth"


async def test_one_key_one_effect(ledger: ServiceClient) -> None:
    body, key = ndjson([invoice(1)]), {"idempotency-key": "push-1"}
    first = await send(ledger, body, headers=key)
    again = await send(ledger, body, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    other = await send(ledger, ndjson([invoice(2)]), headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert set(await listed(ledger)) == {"INV-1"}


async def test_kinds_and_media_types_that_are_not_known(ledger: ServiceClient) -> None:
    kind = await send(ledger, b"", kind="guarantees")
    assert (kind.status_code, kind.json()["errors"][0]["code"]) == (422, "kind_unknown")
    media = await send(ledger, b"x", media_type="text/plain")
    assert (media.status_code, media.json()["errors"][0]["code"]) == (422, "media_type_unknown")


async def test_every_fault_is_listed_and_comes_as_csv(ledger: ServiceClient) -> None:
    rows = [invoice(n, amount="-1") for n in range(130)]
    made = await push(ledger, invoice(1000), *rows)
    assert len(made["errors"]) == 100
    path = f"/v1/imports/{made['id']}/errors"
    first = (await ledger.get(path, params={"limit": 100})).json()
    rest = (await ledger.get(path, params={"limit": 100, "cursor": first["next_cursor"]})).json()
    assert [e["row"] for e in first["data"] + rest["data"]] == list(range(2, 132))
    sheet = await ledger.get(path, headers={"accept": "text/csv"})
    assert len(sheet.text.splitlines()) == 131
    newest = (await ledger.get("/v1/imports", params={"kind": "items", "status": "completed"})).json()
    assert [one["id"] for one in newest["data"]] == [made["id"]]


async def test_the_perimeter_holds_for_imports_too(ledger: ServiceClient) -> None:
    lyon = ledger.add_business_unit("lyon")
    await ledger.settle()
    made = await push(ledger, invoice(1))
    collector = ledger.acting(perimeter=[lyon])
    assert (await collector.get(f"/v1/imports/{made['id']}")).status_code == 404
    assert (await collector.get("/v1/imports")).json()["data"] == []
    refused = await send(collector, ndjson([invoice(2)]))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "business_unit_unknown")
    main = str(ledger.main_business_unit_id)
    mixed = await push(collector, invoice(2), invoice(3, business_unit_id=main), business_unit_id=str(lyon))
    assert [(e["row"], e["code"]) for e in mixed["errors"]] == [(2, "business_unit_unknown")]
    assert set(await listed(collector)) == {"INV-2"}
