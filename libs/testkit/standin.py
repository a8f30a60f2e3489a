"""Stand-ins for the peers of a service that is tested alone: they answer `/internal` paths over HTTP from memory."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.feed.events import Subject
from libs.kit.problems import not_found, problem_response
from libs.kit.responses import reply


class StandIn:
    """One peer: publish events as it would, or lay out answers for its other internal paths."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch = uuid4()
        self._feeds: dict[UUID, list[dict[str, Any]]] = {}
        self._states: dict[tuple[UUID, str], dict[UUID, Subject]] = {}
        self._answers: dict[tuple[str, str], tuple[int, Any]] = {}
        #: method, path and body of every request that was not the feed's
        self.requests: list[tuple[str, str, bytes]] = []
        self.app = Starlette(
            routes=[
                Route("/internal/feed/heads", self._serve_heads),
                Route("/internal/feed", self._serve_feed),
                Route("/internal/state/{event_type}", self._serve_state),
                Route("/internal/tenants/{tenant_id}", self._serve_tenant),
                Route("/{path:path}", self._serve_other, methods=["GET", "POST", "PUT", "DELETE"]),
            ]
        )

    def publish(
        self, tenant_id: UUID, event_type: str, *subjects: Subject, occurred_at: datetime | None = None
    ) -> None:
        """Add one event of a tenant, with all these subjects, and remember their state."""
        feed = self._feeds.setdefault(tenant_id, [])
        state = self._states.setdefault((tenant_id, event_type), {})
        state.update({subject.id: subject for subject in subjects})
        feed.append(
            {
                "position": len(feed) + 1,
                "id": new_id(),
                "type": event_type,
                "occurred_at": occurred_at or clock.wall(),
                "traceparent": "",
                "subjects": list(subjects),
            }
        )

    def answer(self, method: str, path: str, body: Any, status: int = 200) -> None:
        """Lay out the answer of a path."""
        self._answers[method, path] = (status, body)

    def latest(self, tenant_id: UUID, event_type: str) -> Mapping[UUID, Subject]:
        """The present state behind an event type."""
        return self._states.get((tenant_id, event_type), {})

    async def _serve_heads(self, request: Request) -> Response:
        rows = [
            {"tenant_id": tenant, "epoch": self.epoch, "head": len(feed)}
            for tenant, feed in self._feeds.items()
        ]
        return reply({"data": rows})

    async def _serve_feed(self, request: Request) -> Response:
        query = request.query_params
        feed = self._feeds.get(UUID(query["tenant_id"]), [])
        types = query["types"].split(",") if "types" in query else None
        after, limit = int(query.get("after", 0)), int(query.get("limit", 40))
        page = [e for e in feed[max(after, 0) :] if types is None or e["type"] in types][:limit]
        following = page[-1]["position"] if len(page) == limit else len(feed)
        epoch = self.epoch if feed else None
        return reply({"epoch": epoch, "head": len(feed), "oldest": 1, "next": following, "data": page})

    async def _serve_state(self, request: Request) -> Response:
        query = request.query_params
        state = self._states.get((UUID(query["tenant_id"]), request.path_params["event_type"]))
        if state is None:
            return problem_response(not_found("state"))
        after = UUID(query["after"]) if "after" in query else UUID(int=0)
        limit = int(query.get("limit", 1000))
        page = _after(state.values(), after)[:limit]
        following = page[-1].id if len(page) == limit else None
        return reply({"occurred_at": clock.wall(), "next": following, "data": page})

    async def _serve_tenant(self, request: Request) -> Response:
        tenant_id = UUID(request.path_params["tenant_id"])
        known = self.latest(tenant_id, "tenant.changed").get(tenant_id)
        if known is None:
            return problem_response(not_found("tenant"))
        return reply({"version": known.version, "data": known.data})

    async def _serve_other(self, request: Request) -> Response:
        self.requests.append((request.method, request.url.path, await request.body()))
        status, body = self._answers.get((request.method, request.url.path), (404, None))
        return reply(body, status) if body is not None else problem_response(not_found("answer laid out"))


def _after(subjects: Iterable[Subject], after: UUID) -> list[Subject]:
    return sorted((s for s in subjects if s.id > after), key=lambda s: s.id)
