"""What the ledger does with dunning's events: it shows on an item what became of it.

Dunning owns these facts (a promise is made with `POST /v1/promises` or a qualification, never on the item); here they are a
copy to read. They are no change of the item: its version and `updated_at` stay.
"""

from collections.abc import Callable
from typing import Any

from libs.contracts.money import from_minor
from libs.kit.db import Tx
from libs.kit.service import Incoming
from services.ledger.storage import item_facts

#: States in which an action is still to be done.
_TO_DO = frozenset(("proposed", "to_confirm", "due"))


async def keep_qualifications(tx: Tx, subjects: list[Incoming]) -> None:
    """`qualification.changed`; the subject is the item."""
    await item_facts.qualify(tx, [{**s.data, "id": s.id, "version": s.version} for s in subjects])


async def keep_promises(tx: Tx, subjects: list[Incoming]) -> None:
    """`promise.changed`; a cancelled one no longer counts."""
    await _keep(tx, "promise", subjects, _promise)


async def keep_disputes(tx: Tx, subjects: list[Incoming]) -> None:
    """`dispute.changed`; a resolved one is shown as such."""
    await _keep(tx, "dispute", subjects, _dispute)


async def keep_actions(tx: Tx, subjects: list[Incoming]) -> None:
    """`action.changed`; one that is done, skipped, blocked or cancelled is nobody's next action."""
    await _keep(tx, "action", subjects, _action)


async def distrust(tx: Tx) -> None:
    """Before a resync with dunning."""
    await item_facts.distrust(tx)


async def _keep(
    tx: Tx, kind: str, subjects: list[Incoming], read: Callable[[Incoming], dict[str, Any]]
) -> None:
    told = [{"id": s.id, "version": s.version, "kind": kind, **read(s)} for s in subjects]
    await item_facts.keep(tx, told)


def _promise(subject: Incoming) -> dict[str, Any]:
    promise = subject.data
    state = promise["state"]
    return {
        "live": state == "open",
        "day": promise["promised_on"],
        "facts": {
            "id": subject.id,
            "promised_on": promise["promised_on"],
            "amount": from_minor(promise["amount"], promise["currency"]),
            "currency": promise["currency"],
            "state": state,
        },
        "item_ids": [] if state == "cancelled" else promise["item_ids"],
    }


def _dispute(subject: Incoming) -> dict[str, Any]:
    dispute = subject.data
    return {
        "live": dispute["state"] == "open",
        "day": None,
        "facts": {"id": subject.id, "kind": dispute["kind"], "state": dispute["state"]},
        "item_ids": dispute["item_ids"],
    }


def _action(subject: Incoming) -> dict[str, Any]:
    action = subject.data
    to_do = action["state"] in _TO_DO
    shown = {name: action[name] for name in ("kind", "channel", "state", "due_on")}
    return {
        "live": to_do,
        "day": action["due_on"],
        "facts": {"id": subject.id, **shown},
        "item_ids": action["item_ids"] if to_do else [],
    }
