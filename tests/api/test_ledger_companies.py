"""Companies over HTTP: corrections, groups, merging, the credit file."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from libs.contracts.events.ledger import CompanyChanged, CompanyMerged
from libs.testkit.clients import ServiceClient
from tests.api.ledger_steps import create_customer, french, new_siren, told

MakeClient = Callable[..., Awaitable[ServiceClient]]
LEI = "969500WU8KVE8U3TL824"


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", "ledger:read", "ledger:write", now="2026-03-31")


async def company_of(client: ServiceClient, external_id: str, **claim: str) -> dict[str, Any]:
    """A company with one customer, as /v1/companies shows it."""
    customer = await create_customer(
        client, external_id, name=f"Buyer {external_id}", company=claim or french()
    )
    return await shown(client, customer["company"]["id"])


async def shown(client: ServiceClient, company_id: str) -> dict[str, Any]:
    company: dict[str, Any] = (await client.get(f"/v1/companies/{company_id}")).json()
    return company


async def customer_companies(client: ServiceClient) -> dict[str, str]:
    """external_id -> company of every customer."""
    page = (await client.get("/v1/customers?limit=200")).json()
    return {customer["external_id"]: customer["company"]["id"] for customer in page["data"]}


class TestCorrections:
    async def test_identifiers_are_normalised_and_checked(self, ledger: ServiceClient) -> None:
        company = await company_of(ledger, "C-1")
        path = f"/v1/companies/{company['id']}"
        siren = new_siren()
        spaced = f"{siren[:3]} {siren[3:6]} {siren[6:]}"
        response = await ledger.patch(path, json={"registration_number": spaced, "name": "Dupont SA"})
        assert response.json() == company | {"registration_number": siren, "name": "Dupont SA"}
        assert (await ledger.get(path)).headers["etag"] == response.headers["etag"]
        refused = await ledger.patch(path, json={"registration_number": "552008444"})
        assert refused.json()["errors"][0] | {"detail": ""} == {
            "pointer": "/registration_number", "code": "registration_number_invalid", "detail": "",
        }  # fmt: skip
        assert (await ledger.patch(path, json={"name": None})).status_code == 422

    async def test_an_identifier_has_one_bearer(self, ledger: ServiceClient) -> None:
        first = await company_of(ledger, "C-1")
        second = await company_of(ledger, "C-2")
        number = {"registration_number": first["registration_number"]}
        refused = await ledger.patch(f"/v1/companies/{second['id']}", json=number)
        assert (refused.status_code, refused.json()["code"]) == (409, "company_identity_conflict")
        assert refused.json()["existing_id"] == first["id"]

    async def test_the_last_identifier_stays(self, ledger: ServiceClient) -> None:
        company = await company_of(ledger, "C-1")
        path = f"/v1/companies/{company['id']}"
        refused = await ledger.patch(path, json={"registration_number": None})
        assert refused.json()["errors"][0]["code"] == "identifier_required"
        both = {"registration_number": None, "lei": LEI}
        assert (await ledger.patch(path, json=both)).json()["lei"] == LEI

    async def test_a_stale_etag_is_refused(self, ledger: ServiceClient) -> None:
        company, other = await company_of(ledger, "C-1"), await company_of(ledger, "C-2")
        path = f"/v1/companies/{company['id']}"
        stale = {"If-Match": (await ledger.get(path)).headers["etag"]}
        await ledger.patch(path, json={"name": "A"})
        answers = [
            await ledger.patch(path, json={"name": "B"}, headers=stale),
            await ledger.put(f"{path}/parent", json={"parent_id": other["id"]}, headers=stale),
            await ledger.post(f"{path}/merge", json={"into": other["id"]}, headers=stale),
        ]
        assert [answer.status_code for answer in answers] == [412] * 3


class TestGroups:
    async def put_under(self, ledger: ServiceClient, child: str, parent: str | None) -> Any:
        return await ledger.put(f"/v1/companies/{child}/parent", json={"parent_id": parent})

    async def test_the_topmost_company_names_the_group(self, ledger: ServiceClient) -> None:
        top, middle, leaf = [(await company_of(ledger, f"C-{n}"))["id"] for n in range(3)]
        await self.put_under(ledger, leaf, middle)
        assert (await shown(ledger, leaf))["group_id"] == middle
        answer = (await self.put_under(ledger, middle, top)).json()
        assert (answer["parent_id"], answer["group_id"]) == (top, top)
        assert (await shown(ledger, leaf))["group_id"] == top
        members = (await ledger.get("/v1/companies", params={"group_id": top})).json()["data"]
        assert {company["id"] for company in members} == {top, middle, leaf}
        below = (await ledger.get("/v1/companies", params={"parent_id": middle})).json()["data"]
        assert [company["id"] for company in below] == [leaf]
        await self.put_under(ledger, middle, None)
        assert (await shown(ledger, leaf))["group_id"] == middle
        states = {
            s["id"]: CompanyChanged.model_validate(s["data"]) for s in await told(ledger, "company.changed")
        }
        assert str(states[leaf].group_id) == middle

    async def test_no_company_stands_above_itself(self, ledger: ServiceClient) -> None:
        top, middle, leaf = [(await company_of(ledger, f"C-{n}"))["id"] for n in range(3)]
        await self.put_under(ledger, leaf, middle)
        await self.put_under(ledger, middle, top)
        for child, parent in ((top, leaf), (top, top), (middle, leaf)):
            refused = await self.put_under(ledger, child, parent)
            assert (refused.status_code, refused.json()["code"]) == (409, "group_cycle")

    async def test_an_unknown_parent_is_refused(self, ledger: ServiceClient) -> None:
        company = await company_of(ledger, "C-1")
        refused = await self.put_under(ledger, company["id"], str(uuid4()))
        assert refused.json()["errors"][0]["pointer"] == "/parent_id"


class TestMerge:
    async def test_everything_goes_over_to_the_survivor(self, ledger: ServiceClient) -> None:
        ended = await company_of(ledger, "C-1", **french(lei=LEI))
        survivor = await company_of(ledger, "C-2")
        child = await company_of(ledger, "C-3")
        await ledger.put(f"/v1/companies/{child['id']}/parent", json={"parent_id": ended["id"]})
        comments = f"/v1/companies/{ended['id']}/credit-comments"
        await ledger.post(comments, json={"text": "Pays at month end."})
        answer = await ledger.post(f"/v1/companies/{ended['id']}/merge", json={"into": survivor["id"]})
        assert answer.status_code == 200, answer.text
        assert answer.json() == survivor | {"lei": LEI}
        assert (await shown(ledger, ended["id"]))["merged_into_id"] == survivor["id"]
        assert await customer_companies(ledger) == {
            "C-1": survivor["id"], "C-2": survivor["id"], "C-3": child["id"],
        }  # fmt: skip
        moved = await shown(ledger, child["id"])
        assert (moved["parent_id"], moved["group_id"]) == (survivor["id"], survivor["id"])
        kept = (await ledger.get(f"/v1/companies/{survivor['id']}/credit-comments")).json()["data"]
        assert [comment["text"] for comment in kept] == ["Pays at month end."]
        living = (await ledger.get("/v1/companies")).json()["data"]
        assert {company["id"] for company in living} == {survivor["id"], child["id"]}
        (gone,) = (await ledger.get("/v1/companies?merged=true")).json()["data"]
        assert gone["id"] == ended["id"]

    async def test_it_is_told_to_the_other_services(self, ledger: ServiceClient) -> None:
        ended, survivor = await company_of(ledger, "C-1"), await company_of(ledger, "C-2")
        await ledger.post(f"/v1/companies/{ended['id']}/merge", json={"into": survivor["id"]})
        (merged,) = await told(ledger, "company.merged")
        assert merged["id"] == ended["id"]
        assert str(CompanyMerged.model_validate(merged["data"]).into_id) == survivor["id"]
        last = (await told(ledger, "customer.changed"))[-1]
        assert (last["version"], last["data"]["company_id"]) == (2, survivor["id"])
        states = {subject["id"]: subject for subject in await told(ledger, "company.changed")}
        assert states[ended["id"]]["data"]["merged_into_id"] == survivor["id"]
        assert states[ended["id"]]["version"] == 2

    async def test_the_old_number_finds_the_survivor(self, ledger: ServiceClient) -> None:
        first, second, third = [await company_of(ledger, f"C-{n}") for n in range(3)]
        await ledger.post(f"/v1/companies/{first['id']}/merge", json={"into": second["id"]})
        await ledger.post(f"/v1/companies/{second['id']}/merge", json={"into": third["id"]})
        for number, company in enumerate((first, second, third)):
            claim = {"country": "FR", "registration_number": company["registration_number"]}
            customer = await create_customer(ledger, f"D-{number}", company=claim)
            assert customer["company"]["id"] == third["id"]
            assert customer["company"]["registration_number"] == third["registration_number"]

    async def test_a_survivor_from_below_takes_the_place(self, ledger: ServiceClient) -> None:
        top, ended, middle, survivor = [(await company_of(ledger, f"C-{n}"))["id"] for n in range(4)]
        for child, parent in ((ended, top), (middle, ended), (survivor, middle)):
            await ledger.put(f"/v1/companies/{child}/parent", json={"parent_id": parent})
        await ledger.post(f"/v1/companies/{ended}/merge", json={"into": survivor})
        places = [await shown(ledger, company) for company in (survivor, middle)]
        assert [(place["parent_id"], place["group_id"]) for place in places] == [(top, top), (survivor, top)]

    async def test_what_has_ended_takes_nothing_more(self, ledger: ServiceClient) -> None:
        ended, survivor, other = [(await company_of(ledger, f"C-{n}"))["id"] for n in range(3)]
        await ledger.post(f"/v1/companies/{ended}/merge", json={"into": survivor})
        path = f"/v1/companies/{ended}"
        answers = [
            await ledger.post(f"{path}/merge", json={"into": other}),
            await ledger.post(f"/v1/companies/{other}/merge", json={"into": ended}),
            await ledger.patch(path, json={"name": "A"}),
            await ledger.put(f"{path}/parent", json={"parent_id": other}),
            await ledger.post(f"{path}/credit-comments", json={"text": "A"}),
        ]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "invalid_state")}
        refused = await ledger.put(f"/v1/companies/{other}/parent", json={"parent_id": ended})
        assert refused.status_code == 422
        same = await ledger.post(f"/v1/companies/{other}/merge", json={"into": other})
        assert same.json()["errors"][0]["code"] == "company_same"
        unknown = await ledger.post(f"/v1/companies/{other}/merge", json={"into": str(uuid4())})
        assert unknown.status_code == 404


class TestPerimeter:
    async def test_companies_without_a_customer_in_sight_are_not_there(self, ledger: ServiceClient) -> None:
        unit = ledger.add_business_unit("lille")
        await ledger.settle()
        company = french()
        shared = (await create_customer(ledger, "C-1", company=company))["company"]["id"]
        await create_customer(ledger, "C-2", company=company, business_unit_id=str(unit))
        ours = (await company_of(ledger, "C-3"))["id"]
        theirs = (await create_customer(ledger, "C-4", business_unit_id=str(unit)))["company"]["id"]
        limited = ledger.acting(perimeter=[ledger.main_business_unit_id])
        seen = (await limited.get("/v1/companies")).json()["data"]
        assert {each["id"] for each in seen} == {shared, ours}
        path = f"/v1/companies/{theirs}"
        answers = [
            await limited.get(path),
            await limited.patch(path, json={"name": "A"}),
            await limited.post(f"{path}/merge", json={"into": ours}),
            await limited.post(f"/v1/companies/{ours}/merge", json={"into": theirs}),
            await limited.put(f"{path}/parent", json={"parent_id": None}),
            await limited.get(f"{path}/credit-comments"),
            await limited.post(f"{path}/documents", json={"file_id": str(uuid4()), "title": "A"}),
        ]
        assert [answer.status_code for answer in answers] == [404] * 7
        hidden = await limited.post(f"/v1/companies/{shared}/merge", json={"into": ours})
        assert (hidden.status_code, hidden.json()["code"]) == (403, "outside_perimeter")
        await limited.aclose()


class TestList:
    async def test_filters(self, ledger: ServiceClient) -> None:
        french_one = await company_of(ledger, "A-1")
        british = await company_of(ledger, "B-1", country="GB", registration_number="00445790")
        lone = await create_customer(ledger, "C-1", name="Gamma")

        async def found(**query: Any) -> set[str]:
            response = await ledger.get("/v1/companies", params=query)
            return {company["id"] for company in response.json()["data"]}

        assert await found(country="GB") == {british["id"]}
        assert await found(country=["GB", "FR"]) == {british["id"], french_one["id"]}
        assert await found(private="true") == {lone["company"]["id"]}
        assert await found(q="gamm") == {lone["company"]["id"]}
        assert await found(q="b-1") == {british["id"]}
        assert await found(q=french_one["registration_number"]) == {french_one["id"]}
        assert (await ledger.get("/v1/companies?country=ZZ")).status_code == 422

    async def test_pages(self, ledger: ServiceClient) -> None:
        for number in range(5):
            await company_of(ledger, f"C-{number}")
        names, cursor = [], ""
        while cursor is not None:
            query = {"sort": "-name", "limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await ledger.get("/v1/companies", params=query)).json()
            names += [company["name"] for company in page["data"]]
            cursor = page["next_cursor"]
        assert names == [f"Buyer C-{number}" for number in reversed(range(5))]


class TestCreditFile:
    async def test_comments_are_signed_newest_first_and_can_go(self, ledger: ServiceClient) -> None:
        company = await company_of(ledger, "C-1")
        author = uuid4()
        person = ledger.acting(user_id=author)
        path = f"/v1/companies/{company['id']}/credit-comments"
        first = (await person.post(path, json={"text": "First"})).json()
        second = (await ledger.post(path, json={"text": "Second"})).json()
        assert (first["author_user_id"], second["author_user_id"]) == (str(author), None)
        assert (await ledger.get(path)).json() == {"data": [second, first], "next_cursor": None}
        page = (await ledger.get(f"{path}?limit=1")).json()
        rest = (await ledger.get(path, params={"cursor": page["next_cursor"]})).json()
        assert [page["data"], rest["data"]] == [[second], [first]]
        assert (await ledger.delete(f"{path}/{first['id']}")).status_code == 204
        assert (await ledger.delete(f"{path}/{first['id']}")).status_code == 404
        actions = [subject["data"]["action"] for subject in await told(ledger, "audit.recorded")]
        assert actions[-1] == "credit_comment.removed"
        await person.aclose()

    async def test_documents(self, ledger: ServiceClient) -> None:
        company, other = await company_of(ledger, "C-1"), await company_of(ledger, "C-2")
        path = f"/v1/companies/{company['id']}/documents"
        file_id = str(uuid4())
        added = (await ledger.post(path, json={"file_id": file_id, "title": "Accounts 2025"})).json()
        assert (added["file_id"], added["title"]) == (file_id, "Accounts 2025")
        assert (await ledger.get(path)).json()["data"] == [added]
        elsewhere = f"/v1/companies/{other['id']}/documents/{added['id']}"
        assert (await ledger.delete(elsewhere)).status_code == 404
        assert (await ledger.delete(f"{path}/{added['id']}")).status_code == 204
        assert (await ledger.get(path)).json()["data"] == []
