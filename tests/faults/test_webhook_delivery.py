"""Webhook messages while workers are killed and Redis forgets: none lost, none made twice."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from redis.asyncio import Redis

from libs.testkit.receiver import receiving
from libs.testkit.stack import Stack
from libs.testkit.tenant import TestTenant
from services.gateway.usecases import deliver_webhooks

ROOT = Path(__file__).resolve().parents[2]
_DIE_BEFORE_RECORDING = """
import asyncio, os, signal, sys
from libs.kit.runtime import open_runtime
from libs.kit.settings import load_settings
from services.gateway.service import SERVICE
from services.gateway.storage import webhooks
from services.gateway.usecases import deliver_webhooks

async def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    webhooks.record = die
    async with open_runtime(SERVICE, load_settings()) as runtime:
        await deliver_webhooks.run(runtime, sys.argv[1], sys.argv[2])

asyncio.run(main())
"""


async def test_a_worker_killed_after_sending_and_a_queue_that_forgets_lose_no_message(
    stack: Stack, tenant: TestTenant
) -> None:
    await stack.stop_workers()
    redis = Redis.from_url(stack.redis_url)
    try:
        async with receiving() as receiver:
            body = {"url": receiver.url, "types": ["customer.changed"]}
            endpoint = (await tenant.client.post("/v1/webhook-endpoints", json=body)).json()
            for name in ("C-1", "C-2", "C-3"):
                await tenant.client.post("/v1/customers", json={"external_id": name, "name": name})
            assert await stack.drain(tenant.id)
            await redis.flushdb()

            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _DIE_BEFORE_RECORDING, str(tenant.id), endpoint["id"],
                env=os.environ | stack.environment | {"PYTHONPATH": str(ROOT)}, cwd=ROOT,
            )  # fmt: skip
            assert await process.wait() == -signal.SIGKILL
            sent_before = len(receiver.received)
            assert sent_before >= 1

            # Nobody else takes what the dead worker may still be at, until its time is over; then a sweep finds it.
            await deliver_webhooks.run(stack.runtime("gateway"), str(tenant.id), endpoint["id"])
            assert len(receiver.received) == sent_before
            await stack.start_workers()
            await redis.flushdb()
            await stack.sql(
                "gateway",
                "UPDATE webhook_endpoints SET leased_until = now() - interval '1 second' WHERE id = $1",
                endpoint["id"],
            )
            await receiver.wait_for(sent_before + 3)
            await tenant.settle()
            ids = [one.headers["webhook-id"] for one in receiver.received]
            assert len(ids) == sent_before + 3 and len(set(ids)) == 3, "what was sent twice has the id it had"
            path = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries"
            deliveries = (await tenant.client.get(path)).json()["data"]
            assert sorted(one["event_id"] for one in deliveries) == sorted(set(ids))
            assert {(one["status"], one["attempts"]) for one in deliveries} == {("delivered", 1)}
    finally:
        await redis.aclose()
        await stack.start_workers()
