"""Customers in bulk, as imports write them, on the ledger's own database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from libs.testkit.clients import ServiceClient
from services.ledger.domain.intake.customers import CUSTOMER_COLUMNS
from services.ledger.usecases.upsert_customers import CustomerOutcome, upsert_customers
from tests.api.ledger_steps import create_customer, new_siren, told

MakeClient = Callable[..., Awaitable[ServiceClient]]


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", "ledger:read", "ledger:write")


class Book:
    """Records for the main business unit."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def record(self, row: int, external_id: str, **members: Any) -> tuple[Any, ...]:
        """One record of CUSTOMER_COLUMNS; what is not named is None."""
        known = {
            "row": row,
            "business_unit_id": self._client.main_business_unit_id,
            "external_id": external_id,
        }
        values = known | {"name": f"Buyer {external_id}"} | members
        assert values.keys() <= set(CUSTOMER_COLUMNS)
        return tuple(values.get(column) for column in CUSTOMER_COLUMNS)

    async def push(self, *records: tuple[Any, ...], only_new: bool = False) -> list[CustomerOutcome]:
        """Write records in a transaction of the service."""
        runtime = self._client.stack.runtime("ledger")

        async def work(tx: Any) -> list[CustomerOutcome]:
            return await upsert_customers(tx, records, only_new=only_new)

        return await runtime.db.run(self._client.caller.tenant, work)


@pytest.fixture
async def book(ledger: ServiceClient) -> Book:
    return Book(ledger)


async def shown(client: ServiceClient) -> dict[str, dict[str, Any]]:
    """Every customer by its external id."""
    page = (await client.get("/v1/customers?limit=200")).json()
    return {customer["external_id"]: customer for customer in page["data"]}


def what(outcomes: list[CustomerOutcome]) -> list[str]:
    return [outcome.outcome for outcome in outcomes]


async def test_new_rows_create_and_equal_rows_change_nothing(ledger: ServiceClient, book: Book) -> None:
    siren = new_siren()
    full = book.record(
        1, "C-1", company_country="FR", company_registration_number=siren, company_name="Buyer SA", language="fr",
        currency="EUR", terms_days=30, terms_end_of_month=True, segment="small", buyer_kind="public", prepaid=True,
        collector_user_id=uuid4(), source="sap", source_version=7, contacts='[{"email":"a@b.example"}]', actors="[]",
        address='{"city":"Lyon"}', custom_fields='{"n": 1.50}',
    )  # fmt: skip
    records = (
        full,
        book.record(2, "C-2"),
        book.record(3, "C-3", company_country="FR", company_registration_number=siren),
    )
    first = await book.push(*records)
    assert what(first) == ["created"] * 3
    assert [outcome.row for outcome in first] == [1, 2, 3]
    customers = await shown(ledger)
    assert [str(outcome.customer_id) for outcome in first] == [customers[f"C-{n}"]["id"] for n in (1, 2, 3)]
    assert customers["C-1"]["company"] == customers["C-3"]["company"]
    assert customers["C-1"]["company"]["name"] == "Buyer SA"
    assert customers["C-1"]["contacts"] == [
        {"name": None, "email": "a@b.example", "phone": None, "role": "other", "language": None}
    ]
    assert customers["C-1"]["payment_terms"] == {"days": 30, "end_of_month": True, "day_of_month": None}
    assert customers["C-2"]["company"]["private"] is True
    before = len(await told(ledger, "customer.changed"))
    again = await book.push(*records)
    assert what(again) == ["unchanged"] * 3
    assert await shown(ledger) == customers
    assert len(await told(ledger, "customer.changed")) == before == 3


async def test_what_a_row_leaves_out_stays(ledger: ServiceClient, book: Book) -> None:
    await create_customer(
        ledger,
        "C-1",
        segment="small",
        payment_terms={"days": 30},
        contacts=[{"name": "A"}],
        custom_fields={"a": 1},
    )
    before = (await shown(ledger))["C-1"]
    (outcome,) = await book.push(book.record(1, "C-1", name="New name"))
    after = (await shown(ledger))["C-1"]
    assert outcome.outcome == "updated" and str(outcome.customer_id) == before["id"]
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"name", "company", "updated_at"}
    assert after["company"]["name"] == "New name", "a private company bears its customer's name"


async def test_a_conflict_rejects_its_row_alone(ledger: ServiceClient, book: Book) -> None:
    one, two, lei = new_siren(), new_siren(), "969500WU8KVE8U3TL824"
    french = {"company_country": "FR"}
    outcomes = await book.push(
        book.record(1, "C-1", **french, company_registration_number=one, company_lei=lei),
        book.record(2, "C-2", **french, company_registration_number=two),
        book.record(3, "C-3", **french, company_registration_number=two, company_lei=lei),
        book.record(4, "C-4"),
    )
    assert what(outcomes) == ["created", "created", "rejected", "created"]
    fault = outcomes[2].fault
    assert fault is not None and outcomes[2].customer_id is None
    assert (fault.pointer, fault.code) == ("/company", "company_identity_conflict")
    assert (await shown(ledger)).keys() == {"C-1", "C-2", "C-4"}


async def test_an_overtaken_push_changes_nothing(ledger: ServiceClient, book: Book) -> None:
    def at(version: int, name: str, source: str = "sap") -> tuple[Any, ...]:
        return book.record(1, "C-1", name=name, source=source, source_version=version)

    assert what(await book.push(at(5, "Five"))) == ["created"]
    assert what(await book.push(at(4, "Four"))) == ["unchanged"]
    assert what(await book.push(at(6, "Six"))) == ["updated"]
    assert what(await book.push(at(1, "Another system", source="crm"))) == ["updated"]
    assert (await shown(ledger))["C-1"]["name"] == "Another system"


async def test_only_new_leaves_known_customers_alone(ledger: ServiceClient, book: Book) -> None:
    await create_customer(ledger, "C-1", name="Known")
    outcomes = await book.push(
        book.record(1, "C-1", name="C-1"), book.record(2, "C-2", name="C-2"), only_new=True
    )
    assert what(outcomes) == ["unchanged", "created"]
    assert outcomes[0].customer_id is not None
    customers = await shown(ledger)
    assert (customers["C-1"]["name"], customers["C-2"]["name"]) == ("Known", "C-2")


async def test_numbers_learned_later_join_private_companies(ledger: ServiceClient, book: Book) -> None:
    await book.push(*(book.record(n, f"C-{n}") for n in range(4)))
    siren = new_siren()
    numbered = [
        book.record(n, f"C-{n}", company_country="FR", company_registration_number=siren) for n in range(4)
    ]
    assert what(await book.push(*numbered)) == ["unchanged", "updated", "updated", "updated"]
    customers = await shown(ledger)
    assert len({customer["company"]["id"] for customer in customers.values()}) == 1
    (survivor,) = (await ledger.get("/v1/companies")).json()["data"]
    assert survivor["registration_number"] == siren
    merged = await told(ledger, "company.merged")
    assert {m["data"]["into_id"] for m in merged} == {survivor["id"]} and len(merged) == 3


async def test_two_imports_of_the_same_new_customers_at_once(ledger: ServiceClient, book: Book) -> None:
    sirens = [new_siren() for _ in range(100)]

    def records(turned: bool) -> list[tuple[Any, ...]]:
        made = [
            book.record(n, f"C-{n}", company_country="FR", company_registration_number=siren) if n % 2
            else book.record(n, f"C-{n}")
            for n, siren in enumerate(sirens)
        ]  # fmt: skip
        return made[::-1] if turned else made

    one, two = await asyncio.gather(book.push(*records(False)), book.push(*records(True)))
    assert sorted(what(one) + what(two)) == ["created"] * 100 + ["unchanged"] * 100
    companies = [*(await ledger.get("/v1/companies?limit=200")).json()["data"]]
    assert len(companies) == 100, "nobody is left without a customer"
    assert {o.row: o.customer_id for o in one} == {o.row: o.customer_id for o in two}


async def test_ten_thousand_rows_are_a_few_batched_events(ledger: ServiceClient, book: Book) -> None:
    records = [
        book.record(n, f"C-{n}", company_country="GB", company_registration_number=f"A{n:07}")
        for n in range(10_000)
    ]
    assert set(what(await book.push(*records))) == {"created"}
    events = await ledger.stack.sql(
        "ledger", "SELECT type, count(*), sum(subject_count) FROM events WHERE tenant_id = $1 GROUP BY type ORDER BY type",
        ledger.tenant_id,
    )  # fmt: skip
    assert [tuple(row.values()) for row in events] == [
        ("company.changed", 20, 10_000),
        ("customer.changed", 20, 10_000),
    ]
    assert set(what(await book.push(*records))) == {"unchanged"}
    renamed = [(*record[:5], f"New {record[0]}", *record[6:]) for record in records]
    assert set(what(await book.push(*renamed))) == {"updated"}
