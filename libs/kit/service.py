"""What a service is made of: the declaration its app and its worker are built from."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter

from libs.kit.db import Tx
from libs.kit.feed.events import Subject
from libs.kit.settings import ServiceName

if TYPE_CHECKING:
    from libs.kit.runtime import Runtime

#: What a consumer does with some subjects of one event type: set-based, in the transaction that moves the cursor.
#: It must apply a subject only if its version is newer than what it holds.
Handler = Callable[[Tx, list["Incoming"]], Awaitable[None]]
#: Pages the present state of one event type: (tx, after id or None, limit) in order of id.
StateReader = Callable[[Tx, UUID | None, int], Awaitable[list[Subject]]]
#: A job: the runtime, then ids only.
Job = Callable[..., Awaitable[None]]
#: One step of a tenant's day, in one or more transactions of its own; running it twice does nothing twice.
DayStep = Callable[["Runtime", Any, Any], Awaitable[None]]
#: Looks for work rows that lost their nudge and nudges again.
Sweep = Callable[["Runtime"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A subject as a consumer receives it: `occurred_at` is the producer's business instant, in RFC 3339."""

    id: UUID
    version: int
    data: dict[str, Any]
    occurred_at: str
    event_id: UUID


@dataclass(frozen=True)
class Service:
    """The parts of one service."""

    name: ServiceName
    title: str
    description: str
    routers: Sequence[APIRouter] = ()
    #: producer -> event type -> handler
    consumes: Mapping[ServiceName, Mapping[str, Handler]] = field(default_factory=dict)
    #: services whose doorbell is rung after a commit with events
    consumers: Sequence[ServiceName] = ()
    #: event type -> reader of the present state, for a consumer that rebuilds
    states: Mapping[str, StateReader] = field(default_factory=dict)
    #: producer -> empties what came from it, before a resync reads its state anew
    forgets: Mapping[ServiceName, Callable[[Tx], Awaitable[None]]] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)
    #: job -> seconds it may take, where the usual time is too short
    job_timeouts: Mapping[str, int] = field(default_factory=dict)
    day_steps: Mapping[str, DayStep] = field(default_factory=dict)
    sweeps: Sequence[Sweep] = ()
