"""What a collector does in stories: customers, invoices, payments, qualifications, told in a line each."""

from typing import Any

from libs.testkit.tenant import TestTenant


class Desk:
    """A tenant's collector at work, through the gateway."""

    def __init__(self, house: TestTenant) -> None:
        self.house = house
        self.client = house.client

    async def customer(self, number: str, **more: Any) -> str:
        """A French customer with an accounts contact of its own; its id."""
        body = {
            "external_id": number, "name": f"Client {number}", "language": "fr", "currency": "EUR",
            "company": {"country": "FR", "name": f"Client {number}"},
            "contacts": [{"name": "Mme Petit", "email": f"{number.lower()}@example.com", "role": "accounting"}],
            "address": {"line1": "1 rue de la Paix", "city": "Lyon", "country": "FR"},
        }  # fmt: skip
        return str((await self.post("/v1/customers", 201, **(body | more)))["id"])

    async def invoice(
        self, customer: str, number: str, due: str, amount: str = "1000.00", **more: Any
    ) -> str:
        """An invoice in euros; its id."""
        body = {
            "kind": "invoice", "external_id": number, "number": number, "customer_id": customer, "issue_date": "2026-01-15",
            "due_date": due, "currency": "EUR", "amount": amount,
        }  # fmt: skip
        return str((await self.post("/v1/items", 201, **(body | more)))["id"])

    async def pays(self, customer: str, item: str, amount: str, on: str) -> None:
        """A payment allocated to one item, by value date."""
        allocations = [{"item_id": item, "amount": amount}]
        await self.post(
            "/v1/payments",
            201,
            customer_id=customer,
            amount=amount,
            currency="EUR",
            paid_on=on,
            allocations=allocations,
        )
        await self.house.settle()

    async def qualify(self, items: list[str], status: str, **more: Any) -> dict[str, Any]:
        """A qualification that is accepted."""
        return await self.post("/v1/qualifications", 200, item_ids=items, status_code=status, **more)

    async def stands(self, customer: str) -> dict[str, Any]:
        """Where a customer stands."""
        return await self.get(f"/v1/customers/{customer}/dunning")

    async def agenda(self, **query: Any) -> list[dict[str, Any]]:
        """Actions."""
        return await self.listed("/v1/actions", **query)

    async def mails(self, **query: Any) -> list[dict[str, Any]]:
        """Mails caught."""
        return await self.listed("/v1/sandbox/mails", **query)

    async def run(self, **body: Any) -> dict[str, Any]:
        """A dunning run, followed to its end."""
        started = await self.post("/v1/dunning-runs", 202, **body)
        await self.house.settle()
        done = await self.get(f"/v1/dunning-runs/{started['id']}")
        assert done["status"] == "succeeded", done
        return done

    async def listed(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """The first page of a list."""
        data: list[dict[str, Any]] = (await self.get(path, **query))["data"]
        return data

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """GET that answers 200."""
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def post(self, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
        """POST that answers `status`."""
        answer = await self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def refused(self, method: str, path: str, status: int, **body: Any) -> dict[str, Any]:
        """A call that is refused: the problem."""
        answer = await self.client.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        problem: dict[str, Any] = answer.json()
        return problem


def codes(problem: dict[str, Any]) -> list[tuple[str, str]]:
    """What a problem names: (pointer, code)."""
    return [(one["pointer"], one["code"]) for one in problem["errors"]]
