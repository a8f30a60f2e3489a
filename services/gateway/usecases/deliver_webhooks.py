"""Sending what waits for a webhook endpoint: one worker an endpoint at a time, in the order of the stream.

A delivery is a row, made in the transaction that put its event into the stream, and recorded in one of its own right after
the attempt: a worker that is killed in between leaves a message that is sent once more, under the same `webhook-id`.
Messages about one subject go one after the other; different subjects may overtake each other.
"""

import asyncio
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.outbound import Outbound, OutboundError, Refused
from libs.kit.responses import json_bytes, raw
from libs.kit.runtime import Runtime
from libs.kit.sealing import SealBroken
from libs.kit.tenants import Tenant
from services.gateway.domain.webhook import (
    after_failure,
    is_given_up,
    pause_after,
    retry_after_seconds,
    signed_headers,
    verdict,
)
from services.gateway.storage import public_events, webhooks
from services.gateway.usecases.webhooks import JOB, PINGED, Vault, switch_off

log = structlog.get_logger(__name__)
_LEASE = timedelta(seconds=60)
_SLICE_SECONDS = 25.0
_CALL_SECONDS = 15.0
_WINDOW = 64
_AT_ONCE = 8
_EXCERPT_BYTES = 1000


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one attempt."""

    status: int | None
    error: str | None
    excerpt: str
    milliseconds: int
    retry_after_s: int | None = None

    @property
    def verdict(self) -> str:
        return "failed" if self.status is None or self.error else verdict(self.status)

    def entry(self) -> str:
        """The attempt's line in the delivery's log: a JSON array of one."""
        line = {
            "at": clock.wall(),
            "response_status": self.status,
            "error": self.error,
            "response_excerpt": self.excerpt,
            "duration_ms": self.milliseconds,
        }
        return json_bytes([line]).decode()


async def run(runtime: Runtime, tenant_id: str, endpoint_id: str) -> None:
    """The job: send what is due to one endpoint for half a minute, then let another nudge go on."""
    tenant = await runtime.tenant(UUID(tenant_id))
    identifier = UUID(endpoint_id)
    async with runtime.db.transaction(tenant) as tx:
        if await webhooks.claim(tx, identifier, _LEASE) is None:
            return
    try:
        more = await _send_for_a_while(runtime, tenant, identifier)
    finally:
        async with runtime.db.transaction(tenant) as tx:
            await webhooks.release(tx, identifier)
    if more:
        await runtime.jobs.enqueue(JOB, tenant_id, endpoint_id)


async def sweep(runtime: Runtime) -> None:
    """Nudge for endpoints that something is due to: retries, and nudges that were lost."""
    async with runtime.db.system() as connection:
        rows = await webhooks.with_work(connection)
    for row in rows:
        await runtime.jobs.enqueue(JOB, str(row["tenant_id"]), str(row["id"]))


async def _send_for_a_while(runtime: Runtime, tenant: Tenant, identifier: UUID) -> bool:
    began = time.monotonic()
    async with Outbound(
        runtime.settings, allowed_hosts=None, total_seconds=_CALL_SECONDS, keep_alive=True
    ) as outbound:
        while time.monotonic() - began < _SLICE_SECONDS:
            async with runtime.db.transaction(tenant, readonly=True) as tx:
                endpoint = await webhooks.endpoint(tx, identifier)
                if endpoint is None:
                    return False
                rows = await webhooks.due(tx, identifier, _WINDOW, enabled=endpoint["enabled"])
            if not rows:
                return False
            try:
                window = _Window(runtime, tenant, outbound, endpoint, Vault(runtime.settings, tenant.id))
            except (SealBroken, ValueError):
                log.error("webhook_secret_lost", endpoint=str(identifier))
                return False
            await window.send(rows)
            if window.stopped:
                return False
    return True


@dataclass
class _Window:
    """Some deliveries that go out together."""

    runtime: Runtime
    tenant: Tenant
    outbound: Outbound
    endpoint: Row
    vault: Vault
    stopped: bool = False
    _secrets: list[str] = field(init=False)
    _headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._secrets = self.vault.living_secrets(self.endpoint)
        self._headers = self.vault.opened_headers(self.endpoint)

    async def send(self, rows: Iterable[Row]) -> None:
        """Attempt each delivery once; leave the rest alone when the endpoint is paused or switched off meanwhile."""
        by_subject: dict[UUID, list[Row]] = {}
        for row in rows:
            by_subject.setdefault(row["subject_id"], []).append(row)
        places = asyncio.Semaphore(_AT_ONCE)

        async def one_after_the_other(same_subject: list[Row]) -> None:
            for row in same_subject:
                async with places:
                    if not self.stopped:
                        await self._deliver(row)

        async with asyncio.TaskGroup() as tasks:
            for same_subject in by_subject.values():
                tasks.create_task(one_after_the_other(same_subject))

    async def _deliver(self, row: Row) -> None:
        outcome = await self._attempt(row)

        async def write(tx: Tx) -> None:
            # The endpoint's row before the delivery's, as in switch_off: two who fail at once must not wait for each other.
            if row["type"] == PINGED:
                await self._write_ping(tx, row, outcome)
            elif outcome.verdict == "delivered":
                await webhooks.went_well(tx, self.endpoint["id"])
                await self._record(tx, row, outcome, "delivered", None)
            else:
                await self._write_failure(tx, row, outcome)

        await self.runtime.db.run(self.tenant, write)

    async def _attempt(self, row: Row) -> _Outcome:
        body = _body(row)
        if body is None:
            return _Outcome(None, "event_no_longer_kept", "", 0)
        signed = signed_headers(str(row["event_id"]), clock.wall(), body, self._secrets)
        headers = {**self._headers, "content-type": "application/json", **signed}
        began = time.perf_counter()

        def passed() -> int:
            return round((time.perf_counter() - began) * 1000)

        try:
            answer = await self.outbound.send(
                "POST",
                self.endpoint["url"],
                headers=headers,
                content=body,
                max_bytes=_EXCERPT_BYTES,
                truncate=True,
            )
        except OutboundError as error:
            reason = f"refused: {error.reason}" if isinstance(error, Refused) else error.reason
            return _Outcome(None, reason, "", passed())
        wait = retry_after_seconds(answer.headers.get("retry-after"))
        return _Outcome(answer.status, None, _printable(answer.text), passed(), wait)

    async def _write_ping(self, tx: Tx, row: Row, outcome: _Outcome) -> None:
        """A trial says nothing of how the endpoint does: it is neither tried again nor held against it."""
        if outcome.verdict == "delivered":
            await webhooks.went_well(tx, self.endpoint["id"])
        await self._record(
            tx, row, outcome, "delivered" if outcome.verdict == "delivered" else "failed", None
        )

    async def _write_failure(self, tx: Tx, row: Row, outcome: _Outcome) -> None:
        endpoint_id, now = self.endpoint["id"], clock.wall()
        health = await webhooks.went_ill(tx, endpoint_id)
        if health is None:
            self.stopped = True
            return
        attempts = row["attempts"] + 1
        # What would be asked of chance in cryptography is not asked here: it only spreads load.
        following = after_failure(attempts, now, random.random(), outcome.retry_after_s)  # noqa: S311
        over = following.at is None or outcome.error == "event_no_longer_kept"
        await self._record(tx, row, outcome, "failed" if over else "waiting", None if over else following.at)
        if outcome.verdict == "gone" or is_given_up(health["failing_since"], now):
            self.stopped = True
            await switch_off(tx, endpoint_id, "gone" if outcome.verdict == "gone" else "failing")
            tx.after_commit(lambda: self.runtime.ring(tx))
            return
        pause = pause_after(health["failures"])
        if outcome.status in (429, 503) and outcome.retry_after_s:
            pause = max(pause, timedelta(seconds=min(outcome.retry_after_s, 3600)))
        if pause:
            self.stopped = True
            await webhooks.pause(tx, endpoint_id, now + pause)

    async def _record(self, tx: Tx, row: Row, outcome: _Outcome, state: str, next_at: Any) -> None:
        await webhooks.record(
            tx, row["id"], state, next_at, outcome.status, outcome.error, outcome.entry()
        )  # fmt: skip


def _body(row: Row) -> bytes | None:
    """The message; None when its event is no longer kept. The same bytes at every attempt."""
    if row["body"] is not None:
        text: str = row["body"]
        return text.encode()
    if row["data"] is None:
        return None
    event = {**row, "id": row["event_id"]}
    return json_bytes(public_events.as_told(event, raw(row["data"])))


def _printable(text: str) -> str:
    """A stranger's text, fit to be kept and shown."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)
