"""Every service's feed becomes the tenant's public stream, one subject an event, its webhooks' deliveries,
and the tenant's audit log."""

from collections.abc import Mapping

from libs.kit.db import Tx
from libs.kit.service import Handler, Incoming
from libs.kit.settings import ServiceName
from services.gateway.domain.event_owners import EVENT_TYPES
from services.gateway.storage import audit_log, public_events, webhooks
from services.gateway.usecases.webhooks import JOB

_PRODUCERS: tuple[ServiceName, ...] = ("ledger", "risk", "credit", "dunning", "gateway")
_AUDIT = "audit.recorded"


def consumes() -> dict[ServiceName, Mapping[str, Handler]]:
    """Handlers of all that any service tells."""
    return {
        producer: {
            **{event_type: _publisher(event_type) for event_type in EVENT_TYPES[producer]},
            _AUDIT: _auditor(producer),
        }
        for producer in _PRODUCERS
    }


def _publisher(event_type: str) -> Handler:
    async def publish(tx: Tx, subjects: list[Incoming]) -> None:
        before = await public_events.append(tx, event_type, subjects)
        for endpoint_id in await webhooks.fan_out(tx, before):
            tx.nudge(JOB, str(tx.tenant_id), str(endpoint_id))

    return publish


def _auditor(service: str) -> Handler:
    async def keep(tx: Tx, subjects: list[Incoming]) -> None:
        await audit_log.append(tx, service, subjects)

    return keep
