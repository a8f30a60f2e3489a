"""Templates: the library in fifteen languages, a tenant's own words, tried on a real customer, refused with what and where."""

import pytest

from libs.testkit.tenant import TestTenant

FIFTEEN = ["de", "en", "es", "fr", "hr", "it", "ja", "nl", "pl", "pt", "pt-BR", "ro", "sv", "tr", "zh-CN"]


@pytest.mark.feature("F84", "F85", "F113", "G1", "G18")
async def test_words_are_changed_by_version_and_tried_on_a_real_customer(make_tenant) -> None:
    house: TestTenant = await make_tenant(now="2026-03-02T09:00:00+01:00", name="Aciéries")
    client = house.client
    body = {
        "external_id": "C1", "name": "<script>alert(1)</script> Ltd", "language": "pl", "currency": "EUR",
        "company": {"country": "PL", "name": "C1"},
        "contacts": [{"name": "Pani Nowak", "email": "c1@example.com", "phone": "+48 600 100 200", "role": "accounting"}],
        "address": {"line1": "ul. Prosta 1", "city": "Kraków", "country": "PL"},
    }  # fmt: skip
    customer = (await client.post("/v1/customers", json=body)).json()["id"]
    item = {
        "kind": "invoice", "external_id": "F-1", "number": "F-1", "customer_id": customer, "issue_date": "2026-01-15",
        "due_date": "2026-02-20", "currency": "EUR", "amount": "1234.56",
    }  # fmt: skip
    assert (await client.post("/v1/items", json=item)).status_code == 201
    await house.settle()

    library = (await client.get("/v1/templates")).json()["data"]
    assert len(library) == 15 and all(one["languages"] == FIFTEEN and one["built_in"] for one in library)
    by_code = {one["code"]: one for one in library}
    first = by_code["first_reminder"]

    async def tried(template: str, **more: str) -> dict[str, object]:
        answer = await client.post(f"/v1/templates/{template}/render", json={"customer_id": customer, **more})
        assert answer.status_code == 200, answer.text
        shown: dict[str, object] = answer.json()
        return shown

    shown = await tried(first["id"])
    assert shown["language"] == "pl" and "1234,56" in str(shown["text"]).replace("\xa0", "")
    assert "<script>" not in str(shown["html"]) and "&lt;script&gt;" in str(shown["html"])
    assert shown["attachments"] == ["statement-C1-2026-03-02.pdf"]
    assert (await tried(first["id"], language="fi"))["language"] == "pl"
    assert "2026年2月20日" in str((await tried(by_code["call"]["id"], language="ja"))["text"])
    assert (await tried(by_code["formal_notice_letter"]["id"]))["attachments"] == ["letter-C1-2026-03-02.pdf"]
    assert len(str((await tried(by_code["text_message"]["id"]))["text"])) < 300
    assert (await client.get("/v1/messages")).json()["data"] == []

    own = {"en": {"subject": "{{ total }} due", "text": "Dear {{ contact.name }}\n\n{{ listing }}"}}
    made = await client.post(
        "/v1/templates", json={"code": "mine", "name": "Mine", "channel": "email", "texts": own}
    )
    assert made.status_code == 201, made.text
    mine = made.json()
    assert "Pani Nowak" in str((await tried(mine["id"]))["text"])
    for source, code in (
        ("{{ customer.__class__ }}", "template_unknown_variable"),
        ("{{ ''.join(items) }}", "template_forbidden"),
        ("{% include '/etc/passwd' %}", "template_forbidden"),
        ("{% for x in items %}", "template_syntax"),
    ):
        bad = {"en": {"subject": "s", "text": f"line one\n{source}"}}
        refused = await client.patch(f"/v1/templates/{mine['id']}", json={"texts": bad})
        assert refused.status_code == 422, source
        (error,) = refused.json()["errors"]
        assert (error["pointer"], error["code"], error["detail"][:7]) == (
            "/texts/en/text",
            code,
            "line 2:",
        ), error
    again = await client.post(
        "/v1/templates", json={"code": "mine", "name": "x", "channel": "email", "texts": own}
    )
    assert (again.status_code, again.json()["code"], again.json()["existing_id"]) == (
        409,
        "code_exists",
        mine["id"],
    )

    better = {
        "en": own["en"] | {"text": "Hello {{ contact.name }}"},
        "pl": {"subject": "s", "text": "Dzień dobry"},
    }
    path = f"/v1/templates/{mine['id']}"
    changed = await client.patch(path, json={"texts": better}, headers={"If-Match": made.headers["etag"]})
    assert (changed.status_code, changed.json()["number"]) == (200, 2)
    stale = await client.patch(path, json={"name": "y"}, headers={"If-Match": made.headers["etag"]})
    assert stale.status_code == 412
    assert (await tried(mine["id"]))["text"] == "Dzień dobry"
    versions = (await client.get(f"{path}/versions")).json()["data"]
    assert [(one["number"], sorted(one["texts"])) for one in versions] == [(2, ["en", "pl"]), (1, ["en"])]
    assert (await client.delete(path)).status_code == 204
    in_use = await client.delete(f"/v1/templates/{first['id']}")
    assert (in_use.status_code, in_use.json()["code"]) == (409, "in_use")
    variables = (await client.get("/v1/template-variables")).json()["data"]
    assert {one["name"]: one["type"] for one in variables}["leader.due_date"] == "date"

    sms = {"url": "https://sms.example.com/v1", "sender": "HOUSE", "token": "s3cret"}
    kept = await client.put("/v1/message-channels/sms", json=sms)
    assert kept.json()["token_set"] is True and "s3cret" not in kept.text
    blocked = await client.post("/v1/blocked-addresses", json={"kind": "email", "address": "C1@Example.com"})
    assert blocked.json()["address"] == "c1@example.com"
    assert (await client.post("/v1/dunning-runs", json={})).status_code == 202
    await house.settle()
    (action,) = (await client.get("/v1/actions", params={"state": "blocked"})).json()["data"]
    assert action["reason"] == "no_contact"
    assert (await client.get("/v1/sandbox/mails")).json()["data"] == []
