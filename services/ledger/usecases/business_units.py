"""Which business unit something belongs to: one the tenant has and the caller may see."""

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.problems import invalid
from services.ledger.storage import business_units

#: Reads the gateway's feed to its head: a unit may be seconds old.
AskGateway = Callable[[], Awaitable[object]]
Perimeter = tuple[UUID, ...] | None


async def choose_business_unit(
    tx: Tx, given: UUID | None, main: UUID | None, perimeter: Perimeter, ask_gateway: AskGateway
) -> UUID:
    """The unit that was named, else `main`. Raises 422 `business_unit_unknown` for one that does not exist or is outside the
    perimeter, 422 `business_unit_required` where neither is there."""
    chosen = given or main
    if chosen is None:
        raise invalid("/business_unit_id", "business_unit_required", "expected the id of a business unit")
    if perimeter is not None and chosen not in perimeter:
        raise _unknown()
    if chosen != main and await unknown_business_units(tx, [chosen], ask_gateway):
        raise _unknown()
    return chosen


async def unknown_business_units(tx: Tx, ids: Iterable[UUID], ask_gateway: AskGateway) -> set[UUID]:
    """Those of the ids that are no business unit of the tenant, the gateway having been asked about what is not known here."""
    missing = await business_units.unknown(tx, ids)
    if missing:
        await ask_gateway()
        missing = await business_units.unknown(tx, missing)
    return missing


def _unknown() -> Exception:
    return invalid(
        "/business_unit_id", "business_unit_unknown", "expected the id of a business unit you can see"
    )
