"""Making the links that lead customers to their own page."""

import secrets
from datetime import timedelta

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Row, Tx
from services.dunning.storage import links, replies

KIND = "customer_link"
#: A link in a message is good for as long as a reminder is fresh.
DAYS = 30


async def make_link(
    tx: Tx,
    customer: Row,
    *,
    contact_name: str,
    contact_email: str | None,
    language: str | None,
    days: int = DAYS,
) -> tuple[Row, str]:
    """A link to a customer's page, and its token, which is shown this once and kept as a digest only."""
    identifier, token = new_id(), secrets.token_urlsafe(32)
    values = {
        "customer_id": customer["id"],
        "token_hash": await replies.enter(tx, token, KIND, identifier),
        "contact_name": contact_name,
        "contact_email": contact_email,
        "language": language or customer["language"],
        "expires_at": clock.wall() + timedelta(days=days),
    }
    return await links.insert(tx, identifier, values), token
