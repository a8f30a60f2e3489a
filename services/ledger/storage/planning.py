"""Plans for statements over many rows.

A prepared statement (and the check behind a foreign key) keeps the plan it got when its tables were nearly empty, until they
are analysed. For one row that costs nothing; ten thousand rows, each looked up by reading a table that meanwhile holds ten
thousand, took 40 seconds instead of one on a fresh installation.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from libs.kit.db import Tx


@asynccontextmanager
async def planned_afresh(tx: Tx) -> AsyncIterator[None]:
    """Plan every statement inside for the rows it is given and the tables as they are."""
    await tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    yield
    await tx.execute("SET LOCAL plan_cache_mode = auto")
