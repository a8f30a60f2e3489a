"""Exchange rates as they are pushed: the pair and the day say which one is meant."""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.contracts.exchange import Rate
from libs.contracts.ids import new_id
from libs.kit.db import Tx
from services.ledger.storage import exchange_rates


@dataclass(frozen=True, slots=True)
class RatesSet:
    """What a push did."""

    created: int
    updated: int
    unchanged: int


async def set_rates(tx: Tx, rates: Sequence[Rate]) -> RatesSet:
    """Create rates or correct them; each pair and day at most once. Emits rate.changed for those that are new or differ."""
    changed = await exchange_rates.upsert(tx, rates)
    created = sum(row["is_new"] for row in changed)
    if changed:
        tx.emit("rate.changed", map(exchange_rates.subject, changed))
        before = {
            f"{r['base']}/{r['quote']} {r['valid_on']}": r["old_rate"] for r in changed if not r["is_new"]
        }
        after = {f"{r['base']}/{r['quote']} {r['valid_on']}": r["rate"] for r in changed}
        tx.audit("exchange_rates.set", "exchange_rates", new_id(), before, after)
    return RatesSet(created, len(changed) - created, len(rates) - len(changed))
