"""Conditions that other services watch: risk opens and closes their alerts (`alert_condition.changed`)."""

from collections import defaultdict
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.service import Handler, Incoming
from services.risk.storage import alert_conditions
from services.risk.usecases.alerts import Raised, watch


def keep_conditions_of(producer: str) -> Handler:
    """The handler for one producer's conditions."""

    async def keep_conditions(tx: Tx, subjects: list[Incoming]) -> None:
        told = {subject.id: subject for subject in subjects}
        by_kind: dict[str, list[Incoming]] = defaultdict(list)
        for identifier in await alert_conditions.keep(tx, producer, subjects):
            by_kind[told[identifier].data["kind"]].append(told[identifier])
        for kind, changed in by_kind.items():
            raised = [_raised(subject) for subject in changed if subject.data["raised"]]
            await watch(tx, [kind], [_about(subject) for subject in changed], raised)

    return keep_conditions


def _about(subject: Incoming) -> UUID:
    return UUID(subject.data.get("customer_id") or subject.data["company_id"])


def _raised(subject: Incoming) -> Raised:
    data = subject.data
    customer_id = data.get("customer_id")
    return Raised(
        kind=data["kind"],
        company_id=UUID(data["company_id"]),
        customer_id=UUID(customer_id) if customer_id else None,
        criticality=data["criticality"],
        evidence={**data["facts"], "since": data["since"]},
    )
