"""Imports that are one electronic invoice."""

from dataclasses import replace

from libs.kit.problems import invalid
from libs.kit.route import Context
from services.ledger.domain.einvoice.reading import PDF, XML, XML_TOO
from services.ledger.usecases.imports.documents import booked_on, receive_document, seller_unit
from services.ledger.usecases.imports.push import Push
from services.ledger.usecases.imports.receiving import Arrival

DOCUMENTS = (XML, XML_TOO, PDF)


def check_document(kind: str, mode: str) -> None:
    """Raises 422 unless a document may come this way."""
    if kind != "items":
        raise invalid(
            "?kind", "kind_unsupported", "expected items: a document is an invoice or a credit note"
        )
    if mode != "delta":
        raise invalid("?mode", "mode_unsupported", "expected delta: one document is no snapshot")


async def take_document(ctx: Context, push: Push, *, unit_given: bool) -> tuple[Push, Arrival]:
    """The push as the document makes it, and its one row. Without a unit given, the seller's is looked for among those in
    sight. Raises ImportFailed, 413."""
    invoice, arrival = await receive_document(push, ctx.request.stream())
    async with ctx.runtime.db.transaction(ctx.caller.tenant, readonly=True) as tx:
        unit = None if unit_given else await seller_unit(tx, invoice.seller)
        if unit is not None and (push.perimeter is None or unit in push.perimeter):
            push = replace(push, business_unit_id=unit)
        return await booked_on(tx, push, invoice, arrival), arrival
