"""Keeping clocks in step with the facts they follow from."""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.db import Tx


async def watch_customers(tx: Tx, customer_ids: Sequence[UUID]) -> None:
    """Something about these customers' items changed."""
    del tx, customer_ids
