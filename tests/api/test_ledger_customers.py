"""Customers over HTTP: what is kept, what is refused, who sees what, and what the other services are told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.contracts.events.ledger import CompanyChanged, CompanyMerged, CustomerChanged
from libs.testkit.clients import ServiceClient
from tests.api.ledger_steps import create_customer as create
from tests.api.ledger_steps import new_siren
from tests.api.ledger_steps import told as events

MakeClient = Callable[..., Awaitable[ServiceClient]]


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", "ledger:read", "ledger:write", now="2026-03-31")


async def test_a_customer_keeps_everything_it_was_given(ledger: ServiceClient) -> None:
    collector, seller = uuid4(), uuid4()
    siren = new_siren()
    given = {
        "external_id": "C-10442",
        "name": "Aciéries du Rhône",
        "company": {"country": "FR", "registration_number": siren, "name": "Aciéries du Rhône SA"},
        "language": "fr",
        "currency": "EUR",
        "payment_terms": {"days": 30, "end_of_month": True, "day_of_month": 10},
        "segment": "key accounts",
        "buyer_kind": "public",
        "prepaid": True,
        "collector_user_id": str(collector),
        "contacts": [{"email": "ap@acieries.example", "role": "dunning"}],
        "actors": [{"user_id": str(seller), "role": "salesperson"}],
        "address": {"city": "Lyon", "country": "FR"},
        "custom_fields": {"region": "South-East", "score": 12.50, "vip": True, "nothing": None},
    }
    response = await ledger.post("/v1/customers", json=given)
    assert response.status_code == 201, response.text
    customer = response.json()
    assert response.headers["location"] == f"/v1/customers/{customer['id']}"
    shown = await ledger.get(f"/v1/customers/{customer['id']}")
    assert shown.json() == customer
    assert shown.headers["etag"] == response.headers["etag"]
    assert customer["contacts"] == [
        {"name": None, "email": "ap@acieries.example", "phone": None, "role": "dunning", "language": None}
    ]
    assert customer["company"]["registration_number"] == siren
    assert customer["company"]["private"] is False
    assert customer["business_unit_id"] == str(ledger.main_business_unit_id)
    assert customer["custom_fields"] == {"region": "South-East", "score": 12.5, "vip": True}
    same = ("payment_terms", "segment", "buyer_kind", "prepaid", "collector_user_id", "actors", "address")
    assert {name: customer[name] for name in same} == {name: given[name] for name in same}


async def test_a_customer_with_nothing_said_takes_defaults(service_client: MakeClient) -> None:
    ledger = await service_client("ledger", settings={"languages": ["it", "en"]})
    customer = await create(ledger)
    assert customer["language"] == "it"
    assert customer["company"] | {"id": None, "group_id": None} == {
        "id": None, "name": "Aciéries du Rhône", "country": None, "registration_number": None, "vat_number": None,
        "lei": None, "private": True, "group_id": None,
    }  # fmt: skip
    assert customer["buyer_kind"] == "private"
    assert customer["payment_terms"] is None
    assert customer["contacts"] == [] and customer["custom_fields"] == {}


async def test_the_same_customer_again_answers_200_and_another_409(ledger: ServiceClient) -> None:
    body = {
        "external_id": "C-1",
        "name": "Dupont",
        "company": {"country": "FR", "registration_number": new_siren()},
        "custom_fields": {"rate": 1.10},
        "contacts": [{"email": "a@b.example"}],
        "payment_terms": {"days": 30},
    }
    first = await ledger.post("/v1/customers", json=body)
    again = await ledger.post("/v1/customers", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["etag"] == first.headers["etag"]
    for change in (
        {"name": "Durand"},
        {"custom_fields": {"rate": 1.11}},
        {"contacts": []},
        {"payment_terms": {"days": 31}},
        {"company": {"country": "FR", "registration_number": new_siren()}},
    ):
        other = await ledger.post("/v1/customers", json=body | change)
        assert other.status_code == 409, change
        assert other.json()["code"] == "external_id_exists"
        assert other.json()["existing_id"] == first.json()["id"]
    assert len(await events(ledger, "customer.changed")) == 1


async def test_equal_requests_at_once_make_one_customer_and_one_company(ledger: ServiceClient) -> None:
    body = {"external_id": "C-1", "name": "Dupont"}
    answers = await asyncio.gather(*(ledger.post("/v1/customers", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await ledger.get("/v1/companies")).json()["data"]) == 1


async def test_accounts_made_at_once_for_one_new_buyer_share_its_company(ledger: ServiceClient) -> None:
    company = {"country": "FR", "registration_number": new_siren()}
    made = await asyncio.gather(*(create(ledger, f"C-{n}", company=company) for n in range(8)))
    assert len({customer["company"]["id"] for customer in made}) == 1


@pytest.mark.parametrize(
    ("members", "pointer", "code"),
    [
        ({"name": ""}, "/name", "string_too_short"),
        ({"external_id": "x" * 129}, "/external_id", "string_too_long"),
        ({"currency": "EUX"}, "/currency", "currency_unknown"),
        ({"language": "French"}, "/language", "string_pattern_mismatch"),
        ({"buyer_kind": "friend"}, "/buyer_kind", "literal_error"),
        ({"payment_terms": {"days": -1}}, "/payment_terms/days", "greater_than_equal"),
        ({"contacts": [{"email": "nobody"}]}, "/contacts/0/email", "string_pattern_mismatch"),
        ({"contacts": [{"role": "sales"}]}, "/contacts/0", "required"),
        ({"contacts": [{"name": "A", "role": "boss"}]}, "/contacts/0/role", "literal_error"),
        ({"actors": [{"user_id": str(uuid4())}]}, "/actors/0/role", "missing"),
        ({"custom_fields": {str(n): n for n in range(31)}}, "/custom_fields", "custom_fields_invalid"),
        ({"custom_fields": {"a": [1]}}, "/custom_fields", "custom_field_invalid"),
        ({"company": {"country": "ZZ"}}, "/company/country", "country_unknown"),
        (
            {"company": {"country": "FR", "registration_number": "552008444"}},
            "/company/registration_number",
            "registration_number_invalid",
        ),
        ({"company": {"registration_number": "552008443"}}, "/company/country", "country_invalid"),
        ({"company": {"lei": "5299"}}, "/company/lei", "lei_invalid"),
        ({"business_unit_id": str(uuid4())}, "/business_unit_id", "business_unit_unknown"),
        ({"balance": 5}, "/balance", "extra_forbidden"),
    ],
)
async def test_what_cannot_be_is_refused_where_it_stands(
    ledger: ServiceClient, members: dict[str, Any], pointer: str, code: str
) -> None:
    response = await ledger.post("/v1/customers", json={"external_id": "C-1", "name": "A", **members})
    assert response.status_code == 422, response.text
    assert {(error["pointer"], error["code"]) for error in response.json()["errors"]} == {(pointer, code)}
    assert (await ledger.get("/v1/customers")).json()["data"] == []


async def test_a_business_unit_seconds_old_is_asked_of_the_gateway(ledger: ServiceClient) -> None:
    unit = ledger.add_business_unit("lille")
    customer = await create(ledger, business_unit_id=str(unit))
    assert customer["business_unit_id"] == str(unit)
    main = await create(ledger)  # the same external id in another unit is another customer
    assert main["id"] != customer["id"]


async def test_members_left_out_of_a_patch_stay_and_null_empties(ledger: ServiceClient) -> None:
    before = await create(
        ledger,
        segment="small",
        currency="EUR",
        payment_terms={"days": 30},
        custom_fields={"region": "North", "score": 1},
        contacts=[{"email": "a@b.example"}],
    )
    path = f"/v1/customers/{before['id']}"
    response = await ledger.patch(
        path, json={"segment": None, "name": "Dupont", "custom_fields": {"score": None, "vip": True}}
    )
    assert response.status_code == 200, response.text
    after = response.json()
    assert after == before | {
        "segment": None,
        "name": "Dupont",
        "custom_fields": {"vip": True},
        "company": before["company"] | {"name": "Dupont"},
    }
    cleared = (await ledger.patch(path, json={"payment_terms": None, "contacts": []})).json()
    assert cleared["payment_terms"] is None and cleared["contacts"] == []
    for member in (
        "name",
        "language",
        "buyer_kind",
        "prepaid",
        "contacts",
        "address",
        "external_id",
        "company",
    ):
        assert (await ledger.patch(path, json={member: None})).status_code == 422, member
    assert (await ledger.patch(path, json={"business_unit_id": str(uuid4())})).status_code == 422


async def test_a_patch_that_changes_nothing_tells_nobody(ledger: ServiceClient) -> None:
    customer = await create(ledger, segment="small")
    response = await ledger.patch(f"/v1/customers/{customer['id']}", json={"segment": "small"})
    assert response.json() == customer
    assert len(await events(ledger, "customer.changed")) == 1


async def test_a_stale_etag_is_refused(ledger: ServiceClient) -> None:
    customer = await create(ledger)
    path = f"/v1/customers/{customer['id']}"
    read = (await ledger.get(path)).headers["etag"]
    first = await ledger.patch(path, json={"name": "A"}, headers={"If-Match": read})
    second = await ledger.patch(path, json={"name": "B"}, headers={"If-Match": read})
    assert (first.status_code, second.status_code) == (200, 412)
    assert first.headers["etag"] != read
    for verb in ("archive", "unarchive"):
        refused = await ledger.post(f"{path}/{verb}", headers={"If-Match": read})
        assert refused.status_code == 412
    assert (await ledger.delete(path, headers={"If-Match": read})).status_code == 412
    assert (await ledger.get(path)).json()["name"] == "A"


async def test_an_external_id_is_taken_once_in_a_unit(ledger: ServiceClient) -> None:
    await create(ledger, "C-1")
    other = await create(ledger, "C-2")
    path = f"/v1/customers/{other['id']}"
    refused = await ledger.patch(path, json={"external_id": "C-1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "external_id_exists")
    assert (await ledger.patch(path, json={"external_id": "C-3"})).json()["external_id"] == "C-3"


async def test_archive_and_back(ledger: ServiceClient) -> None:
    customer = await create(ledger)
    path = f"/v1/customers/{customer['id']}"
    archived = (await ledger.post(f"{path}/archive")).json()
    assert archived["archived"] is True
    assert archived["archived_at"] == "2026-03-31T12:00:00Z"
    again = await ledger.post(f"{path}/archive")
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")
    assert (await ledger.get("/v1/customers?archived=true")).json()["data"] == [archived]
    assert (await ledger.get("/v1/customers?archived=false")).json()["data"] == []
    back = (await ledger.post(f"{path}/unarchive")).json()
    assert (back["archived"], back["archived_at"]) == (False, None)
    assert (await ledger.post(f"{path}/unarchive")).status_code == 409
    told = [subject["data"]["archived"] for subject in await events(ledger, "customer.changed")]
    assert told == [False, True, False]


async def test_only_a_customer_nothing_was_made_out_to_is_deleted(ledger: ServiceClient) -> None:
    unused, used = await create(ledger, "C-1"), await create(ledger, "C-2")
    await ledger.stack.sql(
        "ledger",
        "INSERT INTO orders (tenant_id, id, business_unit_id, customer_id, external_id, currency, amount, tax_included,"
        " invoiced_amount, status, custom_fields, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, $4, 'O-1', 'EUR', 100, true, 0, 'open', '{}', now(), now(), 1)",
        ledger.tenant_id, uuid4(), ledger.main_business_unit_id, UUID(used["id"]),
    )  # fmt: skip
    assert (await ledger.delete(f"/v1/customers/{unused['id']}")).status_code == 204
    refused = await ledger.delete(f"/v1/customers/{used['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert (await ledger.get(f"/v1/customers/{unused['id']}")).status_code == 404
    assert (await ledger.delete(f"/v1/customers/{unused['id']}")).status_code == 404
    assert [c["id"] for c in (await ledger.get("/v1/customers")).json()["data"]] == [used["id"]]
    last = (await events(ledger, "customer.changed"))[-1]
    assert (last["id"], last["data"]["archived"]) == (unused["id"], True)


async def test_the_perimeter_bounds_every_path(ledger: ServiceClient) -> None:
    other_unit = ledger.add_business_unit("lille")
    await ledger.settle()
    ours = await create(ledger, "C-1")
    theirs = await create(ledger, "C-2", business_unit_id=str(other_unit))
    limited = ledger.acting(perimeter=[ledger.main_business_unit_id])
    assert [c["id"] for c in (await limited.get("/v1/customers")).json()["data"]] == [ours["id"]]
    filtered = await limited.get("/v1/customers", params={"business_unit_id": str(other_unit)})
    assert filtered.json()["data"] == []
    path = f"/v1/customers/{theirs['id']}"
    answers = [
        await limited.get(path),
        await limited.patch(path, json={"name": "Mine now"}),
        await limited.post(f"{path}/archive"),
        await limited.delete(path),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    body = {"external_id": "C-3", "name": "C", "business_unit_id": str(other_unit)}
    refused = await limited.post("/v1/customers", json=body)
    assert refused.json()["errors"][0]["code"] == "business_unit_unknown"
    assert (await ledger.get(path)).json() == theirs
    await limited.aclose()


async def test_another_tenant_sees_nothing(ledger: ServiceClient, service_client: MakeClient) -> None:
    customer = await create(ledger)
    stranger = await service_client("ledger")
    assert (await stranger.get(f"/v1/customers/{customer['id']}")).status_code == 404
    assert (await stranger.get("/v1/customers")).json()["data"] == []


async def test_scopes_are_asked_for(ledger: ServiceClient) -> None:
    reader = ledger.acting("ledger:read")
    refused = await reader.post("/v1/customers", json={"external_id": "C-1", "name": "A"})
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    await reader.aclose()


async def test_the_feed_carries_whole_states_with_rising_versions(ledger: ServiceClient) -> None:
    customer = await create(
        ledger, custom_fields={"n": 1.5}, company={"country": "FR", "registration_number": new_siren()}
    )
    await ledger.patch(f"/v1/customers/{customer['id']}", json={"segment": "small"})
    told = await events(ledger, "customer.changed")
    states = [CustomerChanged.model_validate(subject["data"]) for subject in told]
    assert [subject["version"] for subject in told] == [1, 2]
    assert [state.segment for state in states] == [None, "small"]
    assert states[1].custom_fields == {"n": 1.5}
    (company,) = await events(ledger, "company.changed")
    assert (
        CompanyChanged.model_validate(company["data"]).registration_number
        == customer["company"]["registration_number"]
    )
    for event_type, model in (("customer.changed", CustomerChanged), ("company.changed", CompanyChanged)):
        path = f"/internal/state/{event_type}?tenant_id={ledger.tenant_id}"
        (present,) = (await ledger.stack.call("ledger", "GET", path)).json()["data"]
        assert present == (await events(ledger, event_type))[-1]
        model.model_validate(present["data"])
    assert CompanyMerged.model_fields  # the catalogue knows the third type, proved above


async def test_changes_are_audited_with_their_author(ledger: ServiceClient) -> None:
    author = uuid4()
    person = ledger.acting(user_id=author)
    customer = await create(person, segment="small", contacts=[{"email": "a@b.example"}])
    await person.patch(f"/v1/customers/{customer['id']}", json={"segment": None, "contacts": []})
    created, updated = (subject["data"] for subject in await events(ledger, "audit.recorded"))
    assert created["action"] == "customer.created"
    assert updated["object"] == {"type": "customer", "id": customer["id"]}
    assert updated["user_id"] == str(author)
    assert updated["before"]["segment"] == "small"
    assert updated["before"]["contacts"][0]["email"] == "a@b.example"
    assert updated["after"] == {"segment": None, "contacts": []}
    await person.aclose()
