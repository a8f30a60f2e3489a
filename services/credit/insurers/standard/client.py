"""The neutral contract over HTTP: `/buyers/search`, `/requests`, `/covers`, `/overdues`, a bearer key."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

import msgspec
from pydantic import ValidationError

from libs.kit.outbound import Outbound
from services.credit.domain.insurance.vocabulary import PRODUCTS
from services.credit.insurers.calling import Caller, Unreadable
from services.credit.insurers.port import (
    Account,
    AmountRule,
    BuyerQuery,
    Candidate,
    Capabilities,
    Grade,
    Overdue,
    Policy,
    Reading,
    Receipt,
    Submission,
)
from services.credit.insurers.told import ToldDecision

_ASKED = [product for product in PRODUCTS if product not in ("dcl", "non_named")]
CAPABILITIES = Capabilities(
    products={
        product: AmountRule(
            step=Decimal(1000),
            least=Decimal(1000),
            needs_dates=product in ("temporary", "topup", "topup_plus"),
        )
        for product in _ASKED
    },
    cancel="yes",
    grades="yes",
    overdues="yes",
    webhook_modes=("standard_webhooks", "hmac_header", "poke", "none"),
    search_by=("registration_number", "vat", "lei", "name"),
    grade_scale="1-10",
)


class StandardInsurer:
    """See the port."""

    def __init__(self, outbound: Outbound, account: Account) -> None:
        self._caller = Caller(outbound, account)
        key = account.credentials.get("api_key")
        self._headers = {"authorization": f"Bearer {key}"} if key else {}

    async def search(self, policy: Policy, query: BuyerQuery) -> list[Candidate]:
        """Candidates by registration number, else by name."""
        body = {"policy_reference": policy.number, **asdict(query)}
        _, answer = await self._caller.ask("POST", "/buyers/search", body=body, headers=self._headers)
        return [_candidate(one) for one in _rows(answer)]

    async def submit(self, submission: Submission) -> Receipt:
        """POST /requests; the reference is ours, so that a lost answer can be looked for."""
        _, answer = await self._caller.ask(
            "POST", "/requests", body=_request(submission), headers=self._headers, changes=True
        )
        return _receipt(answer)

    async def find_request(self, submission: Submission) -> Receipt | None:
        """GET /requests by our reference."""
        _, answer = await self._caller.ask(
            "GET", "/requests", params={"reference": submission.reference}, headers=self._headers
        )
        found = _rows(answer)
        return _receipt(found[0]) if found else None

    async def cancel(self, submission: Submission, insurer_reference: str | None) -> None:
        """POST /requests/{reference}/cancel."""
        await self._caller.ask(
            "POST", f"/requests/{submission.reference}/cancel", body={}, headers=self._headers, changes=True
        )

    async def read_covers(self, policy: Policy) -> Reading:
        """GET /covers of a policy: every decision in force, and the grades."""
        _, answer = await self._caller.ask(
            "GET", "/covers", params={"policy_reference": policy.number}, headers=self._headers
        )
        if not isinstance(answer, dict):
            raise Unreadable("expected an object")
        grades = [
            Grade(str(one["buyer_reference"]), str(one["grade"]), str(one.get("scale", "1-10")))
            for one in answer.get("grades", [])
        ]
        return Reading(_decisions(answer), grades, msgspec.json.encode(answer, enc_hook=str))

    async def declare_overdue(self, overdue: Overdue) -> str | None:
        """POST /overdues."""
        body = {**asdict(overdue), "policy_reference": overdue.policy.number}
        body.pop("policy")
        _, answer = await self._caller.ask(
            "POST", "/overdues", body=_plain(body), headers=self._headers, changes=True
        )
        return str(answer["overdue_id"]) if isinstance(answer, dict) and "overdue_id" in answer else None


def _request(submission: Submission) -> dict[str, Any]:
    body = _plain(asdict(submission))
    body["policy_reference"] = submission.policy.number
    body["buyer_reference"] = body.pop("insurer_buyer_id")
    body.pop("policy")
    return body


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in body.items()}


def _receipt(answer: Any) -> Receipt:
    if not isinstance(answer, dict):
        raise Unreadable("expected an object")
    reference = answer.get("request_id")
    return Receipt(None if reference is None else str(reference), None, _decisions(answer))


def _decisions(answer: dict[str, Any]) -> list[ToldDecision]:
    try:
        return [ToldDecision.model_validate(one) for one in answer.get("decisions", [])]
    except (ValidationError, TypeError):
        raise Unreadable("a decision cannot be read") from None


def _rows(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        raise Unreadable("expected data[]")
    return [one for one in answer["data"] if isinstance(one, dict)]


def _candidate(one: dict[str, Any]) -> Candidate:
    score = one.get("score")
    return Candidate(
        str(one.get("insurer_buyer_id", "")),
        str(one.get("name", "")),
        one.get("address"),
        one.get("registration_number"),
        None if score is None else Decimal(str(score)),
        str(one.get("match_kind", "name")),
    )
