"""An import of one document: an electronic invoice becomes one row of items, for the customer its buyer is."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.problems import Problem
from libs.kit.responses import json_bytes
from services.ledger.domain.einvoice.invoice import EInvoice, Party, item_row
from services.ledger.domain.einvoice.reading import read_document
from services.ledger.domain.intake.columns import RowDefaults
from services.ledger.domain.intake.errors import ImportFailed
from services.ledger.domain.intake.gunzip import Gunzip
from services.ledger.domain.intake.pipeline import NDJSON, open_intake
from services.ledger.storage import buyers
from services.ledger.usecases.imports.push import Push
from services.ledger.usecases.imports.receiving import Arrival

MAX_DOCUMENT = 20 * 1024**2
#: A document that cannot be read within this time is refused; its thread ends by itself, and there are few of them.
_SECONDS = 30.0
_READERS = 2


async def receive_document(push: Push, body: AsyncIterator[bytes]) -> tuple[EInvoice, Arrival]:
    """Read a document to its end; what it says, and an arrival that has no rows yet. Raises ImportFailed, 413 beyond
    MAX_DOCUMENT (deflated or not)."""
    digest, gunzip = hashlib.sha256(), Gunzip(max_inflated=2 * MAX_DOCUMENT)
    size, pieces = 0, bytearray()
    async for chunk in body:
        size += len(chunk)
        digest.update(chunk)
        for piece in gunzip.feed(chunk):
            pieces += piece
        if max(size, len(pieces)) > MAX_DOCUMENT:
            detail = f"A document may hold {MAX_DOCUMENT} bytes at the most."
            raise Problem(413, "body_too_large", detail, headers={"Connection": "close"}, limit=MAX_DOCUMENT)
    for piece in gunzip.finish():
        pieces += piece
    reading = asyncio.get_running_loop().run_in_executor(
        _readers(), read_document, bytes(pieces), push.media_type
    )
    try:
        async with asyncio.timeout(_SECONDS):
            invoice = await reading
    except TimeoutError:
        raise ImportFailed("document_unreadable", f"expected a document to read in {_SECONDS:g} s") from None
    return invoice, Arrival(open_intake("items", NDJSON), size=size, digest=digest.digest())


async def seller_unit(tx: Tx, seller: Party) -> UUID | None:
    """The business unit that the seller is, by its code or name; None where that is not one."""
    names = [*(each.value for each in seller.identifiers), seller.name, seller.endpoint, seller.vat_number]
    if seller.legal_id is not None:
        names.append(seller.legal_id.value)
    units = await buyers.units_called(tx, [name for name in names if name])
    return units[0] if len(units) == 1 else None


async def booked_on(tx: Tx, push: Push, invoice: EInvoice, arrival: Arrival) -> Push:
    """Put the document's row into the arrival; the push, which knows what to call the buyer if it must be made.

    Raises ImportFailed for what is no invoice, and `customer_ambiguous` where several customers could be the buyer."""
    unit = push.business_unit_id
    first_seen = invoice.number is None or not await buyers.is_known(tx, unit, invoice.number)
    row = item_row(invoice, first_seen=first_seen)
    key, known = await _customer(tx, unit, invoice.buyer)
    if key is not None:
        row["customer_external_id"] = key
    arrival.intake = open_intake("items", NDJSON, defaults=RowDefaults(unit, push.source))
    arrival.batches = [*arrival.intake.feed(json_bytes(row)), *arrival.intake.finish()]
    return push if known or key is None else replace(push, newcomers={key: _account(invoice.buyer)})


async def _customer(tx: Tx, unit: UUID, buyer: Party) -> tuple[str | None, bool]:
    """The external id of the customer that is meant, and whether there is one: by the seller's own number of it, then by its
    registered identifiers, then by what a customer made from such a document is called."""
    found = await buyers.candidates(tx, unit, buyer.keys, buyer.identity)
    by_key = {row["external_id"] for row in found}
    for number in buyer.identifiers:
        if number.value in by_key:
            return number.value, True
    identified = [row["external_id"] for row in found if row["identified"] and not row["archived"]]
    named = [key for key in buyer.keys if key in by_key]
    if len(identified) > 1 and not set(named) & set(identified):
        detail = "several customers are this buyer: expected a document that bears the number of one of them"
        raise ImportFailed("customer_ambiguous", detail)
    meant = [key for key in named if key in identified] or identified or named
    if meant:
        return meant[0], True
    return (buyer.keys[0] if buyer.keys else None), False


def _account(buyer: Party) -> dict[str, Any]:
    """The columns of a customer made from a document's buyer."""
    identity = buyer.identity
    address = {**buyer.address, **({"country": buyer.country} if buyer.country else {})}
    return {
        "name": buyer.name or buyer.keys[0],
        "company_name": buyer.name,
        "company_country": identity.country,
        "company_registration_number": identity.registration_number,
        "company_vat_number": identity.vat_number,
        "company_lei": identity.lei,
        "address": json_bytes({name: value[:500] for name, value in address.items()}).decode(),
    }


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_READERS, thread_name_prefix="document")
