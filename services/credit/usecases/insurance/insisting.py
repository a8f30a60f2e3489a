"""Insisting with the broker after a negative answer: written from the template, completed, sent once, archived."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.contracts.money import from_minor
from libs.kit import mail
from libs.kit.auth import Caller
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.runtime import Runtime
from services.credit.domain.insurance.letters import DEFAULTS, fill
from services.credit.domain.insurance.vocabulary import NEGATIVE
from services.credit.storage import exposure
from services.credit.storage.insurance import covers, templates
from services.credit.storage.insurance.rows import insert, json_text, one, update
from services.credit.usecases.agenda import plan_action
from services.credit.usecases.insurance.connections import connection_or_404
from services.credit.usecases.insurance.requesting import policy_or_404
from services.credit.usecases.notices import house_settings

TABLE = "insistences"
_FOLLOW_UP = timedelta(days=7)


async def create_insistence(
    tx: Tx, runtime: Runtime, caller: Caller, token: str, decision_id: UUID, values: dict[str, Any]
) -> Row:
    """A draft about a decision. Raises 404, 409 `nothing_to_insist_on` or `insistence_open`, 422 without a recipient."""
    decision = await one(tx, covers.DECISIONS, decision_id)
    if decision is None or not await exposure.in_sight(tx, decision["company_id"], caller.perimeter):
        raise not_found("decision", decision_id)
    if decision["status"] not in NEGATIVE:
        raise Problem(
            409,
            "nothing_to_insist_on",
            f"The decision is {decision['status']}: there is nothing to insist on.",
        )
    policy = await policy_or_404(tx, decision["policy_id"])
    connection = await connection_or_404(tx, policy["connection_id"])
    broker = await one(tx, "brokers", policy["broker_id"]) if policy["broker_id"] else None
    to = values["to"] or (broker["email"] if broker else connection["broker_email"])
    if to is None:
        raise invalid("/to", "recipient_missing", "expected an address, or a broker on the policy")
    settings = await house_settings(tx)
    language = values["language"] or (broker["language"] if broker else settings.languages[0])
    arguments = {
        "text": values["arguments"],
        "comments": await _comments(runtime, token, decision["company_id"]),
        "provider_data": await _provider_data(runtime, token, decision["company_id"]),
        "documents": values["documents"],
    }
    facts = await _facts(tx, decision, policy, connection["insurer"], arguments, settings.sender.name)
    letter = fill(
        await templates.letter(tx, "insistence", language) or DEFAULTS.get(language) or DEFAULTS["en"], facts
    )
    row = await insert(
        tx, TABLE, new_id(),
        {
            "decision_id": decision_id, "company_id": decision["company_id"], "policy_id": decision["policy_id"],
            "state": "draft", "recipients": json_text([{"name": broker["name"] if broker else "", "email": to}]),
            "language": language, "subject": letter.subject, "body": letter.body, "arguments": json_text(arguments),
            "follow_up_on": values["follow_up_on"], "currency": decision["currency"],
            "amount_before": decision["granted_amount"] or 0, "author_id": caller.user_id,
        },
        tail="ON CONFLICT DO NOTHING",
    )  # fmt: skip
    if row is None:
        raise Problem(409, "insistence_open", "There is an insistence on this decision already.")
    tx.audit("insistence_written", "insistence", row["id"], after={"decision_id": decision_id})
    return row


async def change_insistence(tx: Tx, row: Row, changes: dict[str, Any]) -> Row:
    """Another wording before it is sent. Raises 409."""
    _require(row, "draft")
    return await update(tx, TABLE, row["id"], **changes)


async def send_insistence(tx: Tx, row: Row) -> Row:
    """Hand it to the mail: it leaves once. Raises 409 unless it is a draft."""
    _require(row, "draft")
    settings = await house_settings(tx)
    mail_id = new_id()
    await mail.write(
        tx, mail_id,
        {
            "purpose": "insistence", "object_id": row["id"], "language": row["language"],
            "sender_name": settings.sender.name, "sender_email": settings.sender.email,
            "reply_to": settings.sender.reply_to, "subject": row["subject"], "text": row["body"], "not_before": tx.now,
            "any_hour": True, "recipients": row["recipients"],
        },
    )  # fmt: skip
    follow_up = row["follow_up_on"] or tx.today + _FOLLOW_UP
    changed = await update(
        tx, TABLE, row["id"], state="queued", mail_id=mail_id, sent_at=tx.now, follow_up_on=follow_up
    )
    await plan_action(
        tx, kind="insistence_follow_up", company_id=row["company_id"], due_on=follow_up,
        title="Ask the broker about the insistence", source_key=f"insistence:{row['id']}", object_id=row["id"],
    )  # fmt: skip
    tx.audit("insistence_sent", "insistence", row["id"], {"state": "draft"}, {"state": "queued"})
    return changed


async def answer_insistence(tx: Tx, row: Row, outcome: str, decision_id: UUID | None) -> Row:
    """What came of it; the gain is what the new decision grants above the one before. Raises 409, 422."""
    if row["state"] not in ("queued", "sent"):
        raise Problem(409, "invalid_state", f"The insistence is {row['state']}.", state=row["state"])
    gain = 0
    if decision_id is not None:
        decision = await one(tx, covers.DECISIONS, decision_id)
        if decision is None or decision["company_id"] != row["company_id"]:
            raise invalid(
                "/decision_id", "decision_unknown", "expected a later decision about the same company"
            )
        if decision["currency"] == row["currency"]:
            gain = max(0, (decision["granted_amount"] or 0) - row["amount_before"])
    changed = await update(
        tx, TABLE, row["id"], state="answered", outcome=outcome, gain=gain, answer_decision_id=decision_id
    )
    tx.audit("insistence_answered", "insistence", row["id"], {"state": row["state"]}, {"outcome": outcome})
    return changed


async def the_insistence(tx: Tx, caller: Caller, identifier: UUID, *, lock: bool = False) -> Row:
    """An insistence. Raises 404."""
    row = await one(tx, TABLE, identifier, lock=lock)
    if row is None or not await exposure.in_sight(tx, row["company_id"], caller.perimeter):
        raise not_found("insistence", identifier)
    return row


async def _facts(
    tx: Tx, decision: Row, policy: Row, insurer: str, arguments: dict[str, Any], sender: str
) -> dict[str, str]:
    company = await exposure.company(tx, decision["company_id"])
    assert company is not None, "decisions stand on companies"
    currency = decision["currency"]
    owed = (await exposure.exposures_of(tx, {decision["company_id"]: currency}))[decision["company_id"]]
    reasons = [
        one.get("text") or one.get("raw") or one.get("code")
        for one in msgspec.json.decode(decision["reasons"])
    ]
    fields = [
        f"{one['field']}: {one['value']} ({', '.join(filter(None, (one['provider'], one['as_of'])))})"
        for one in arguments["provider_data"]
    ]
    return {
        "company": company["name"],
        "registration_number": company["registration_number"] or "",
        "policy_number": policy["number"],
        "insurer": insurer,
        "status": decision["status"].replace("_", " "),
        "requested_amount": from_minor(decision["requested_amount"] or 0, currency),
        "granted_amount": from_minor(decision["granted_amount"] or 0, currency),
        "amount_before": from_minor(decision["granted_amount"] or 0, currency),
        "currency": currency,
        "decided_on": decision["decided_at"].date().isoformat(),
        "reasons": "; ".join(reason for reason in reasons if reason),
        "outstanding": from_minor(owed.outstanding, currency),
        "arguments": arguments["text"] or "",
        "comments": "\n".join(arguments["comments"]),
        "provider_data": "\n".join(fields),
        "sender": sender,
    }


async def _comments(runtime: Runtime, token: str, company_id: UUID) -> list[str]:
    """The newest analysis comments of the credit file; an insistence does without when the ledger is down."""
    answer = await _asked(runtime, "ledger", f"/v1/companies/{company_id}/credit-comments", token)
    return [str(one["text"]) for one in answer.get("data", [])[:5] if one.get("text")]


async def _provider_data(runtime: Runtime, token: str, company_id: UUID) -> list[dict[str, Any]]:
    """What providers say of the company, as risk shows it to this caller."""
    answer = await _asked(runtime, "risk", f"/v1/companies/{company_id}/risk", token)
    return [
        {
            "field": name,
            "value": str(one["value"]),
            "provider": one.get("provider"),
            "as_of": one.get("as_of"),
        }
        for name, one in (answer.get("canonical") or {}).items()
        if isinstance(one, dict) and one.get("state") == "known"
    ]


async def _asked(runtime: Runtime, peer: Any, path: str, token: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] | None = await runtime.peers.get(peer, path, token=token)
    except Problem:
        return {}
    return answer or {}


def _require(row: Row, state: str) -> None:
    if row["state"] != state:
        raise Problem(409, "invalid_state", f"The insistence is {row['state']}.", state=row["state"])
