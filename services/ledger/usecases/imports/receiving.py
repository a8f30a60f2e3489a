"""Taking the body of an import in: decoded as it comes while it is small, put away raw as soon as it is not.

What is held in memory is one batch and some megabytes of raw bytes, whatever the size of the file.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from libs.kit.db import Database, Tx
from libs.kit.problems import Problem
from libs.kit.tenants import Tenant
from services.ledger.domain.intake.pipeline import BATCH, Batch, Intake
from services.ledger.storage import imports
from services.ledger.usecases.imports.push import Push
from services.ledger.usecases.imports.records import columns_of

#: What may come over the wire.
MAX_BODY = 512 * 1024**2
#: What is answered in the request: so many rows, in so many raw bytes at the most.
MAX_ROWS_AT_ONCE = BATCH
MAX_BYTES_AT_ONCE = 16 * 1024**2
CHUNK = 4 * 1024**2


@dataclass(slots=True)
class Arrival:
    """A body that has arrived: either decoded (`batches`, at most one of them full) and held (`raw`), or `stored` in chunks."""

    intake: Intake
    batches: list[Batch] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    size: int = 0
    digest: bytes = b""
    stored: bool = False


async def receive(db: Database, tenant: Tenant, push: Push, body: AsyncIterator[bytes]) -> Arrival:
    """Read a body to its end. Raises ImportFailed for a small file that cannot be read, 413 beyond MAX_BODY.

    A large one is stored under an import of status `receiving`; the caller takes it over or discards it.
    """
    arrival = Arrival(push.intake())
    digest = hashlib.sha256()
    store = _Store(db, tenant, push)
    try:
        async for chunk in body:
            arrival.size += len(chunk)
            if arrival.size > MAX_BODY:
                raise _too_large()
            digest.update(chunk)
            arrival.raw.append(chunk)
            if not arrival.stored:
                arrival.batches += arrival.intake.feed(chunk)
                arrival.stored = _is_large(arrival)
                if arrival.stored:
                    arrival.batches.clear()
            if arrival.stored:
                arrival.raw = await store.keep(arrival.raw)
        if not arrival.stored:
            arrival.batches += arrival.intake.finish()
            arrival.stored = _is_large(arrival)
        if arrival.stored:
            arrival.batches.clear()
            await store.keep(arrival.raw, last=True)
            arrival.raw.clear()
    except BaseException:
        await store.discard()
        raise
    arrival.digest = digest.digest()
    return arrival


async def keep_body(tx: Tx, push: Push, raw: list[bytes]) -> None:
    """Put a held body away in chunks: the import is there already."""
    body = b"".join(raw)
    for number, start in enumerate(range(0, len(body), CHUNK)):
        await imports.add_chunk(tx, push.id, number, body[start : start + CHUNK])


def _is_large(arrival: Arrival) -> bool:
    rows = sum(batch.received for batch in arrival.batches)
    return rows > MAX_ROWS_AT_ONCE or arrival.size > MAX_BYTES_AT_ONCE


class _Store:
    """Chunks of a body on their way into the database, each in a transaction of its own."""

    def __init__(self, db: Database, tenant: Tenant, push: Push) -> None:
        self._db = db
        self._tenant = tenant
        self._push = push
        self._number = 0

    async def keep(self, raw: list[bytes], *, last: bool = False) -> list[bytes]:
        """Store what fills chunks; what is left over."""
        if not last and sum(map(len, raw)) < CHUNK:
            return raw
        body = b"".join(raw)
        end = len(body) if last else len(body) - len(body) % CHUNK
        for start in range(0, end, CHUNK):
            async with self._db.transaction(self._tenant) as tx:
                if self._number == 0:
                    await imports.insert(tx, {**columns_of(self._push), "status": "receiving"})
                await imports.add_chunk(
                    tx, self._push.id, self._number, body[start : min(start + CHUNK, end)]
                )
            self._number += 1
        return [body[end:]] if end < len(body) else []

    async def discard(self) -> None:
        """The body did not arrive whole, or cannot be used."""
        if self._number:
            async with self._db.transaction(self._tenant) as tx:
                await imports.discard(tx, self._push.id)


def _too_large() -> Problem:
    detail = f"The body may hold {MAX_BODY} bytes at the most: cut the file."
    return Problem(413, "body_too_large", detail, headers={"Connection": "close"}, limit=MAX_BODY)
