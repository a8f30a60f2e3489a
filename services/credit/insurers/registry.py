"""Which insurers there are, what each can do, and how one is reached."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from libs.kit.outbound import Outbound
from services.credit.insurers.manual.capabilities import CAPABILITIES as MANUAL
from services.credit.insurers.port import Account, Capabilities, Insurer
from services.credit.insurers.standard.client import CAPABILITIES as STANDARD
from services.credit.insurers.standard.client import StandardInsurer


@dataclass(frozen=True, slots=True)
class Entry:
    """An insurer of the catalogue. `open` makes its adapter; None: people do the asking."""

    name: str
    capabilities: Callable[[dict[str, Any]], Capabilities]
    open: Callable[[Outbound, Account], Insurer] | None
    credentials: tuple[str, ...] = ()
    base_url: str | None = None
    note: str = ""


InsurerCode = Literal["sandbox", "standard", "manual"]
CATALOGUE: dict[str, Entry] = {
    "sandbox": Entry(
        "Sandbox insurer", lambda profile: STANDARD, StandardInsurer,
        note="Our stand-in: grants, cuts, cancels, stays silent, answers twice, late or out of order, as it is told.",
    ),
    "standard": Entry(
        "Insurer or middleware with the neutral contract", lambda profile: STANDARD, StandardInsurer, ("api_key",),
        note="Signs as Standard Webhooks 1.0.0 has it.",
    ),
    "manual": Entry(
        "Any insurer, through the broker", lambda profile: MANUAL, None,
        note="Requests leave by mail or in the insurer's portal; decisions are typed in or imported.",
    ),
}  # fmt: skip


def capabilities_of(insurer: str, profile: dict[str, Any] | None = None) -> Capabilities:
    """What an insurer can do. Raises KeyError for one that is not in the catalogue."""
    return CATALOGUE[insurer].capabilities(profile or {})


def is_manual(insurer: str) -> bool:
    """Whether people do the asking."""
    return CATALOGUE[insurer].open is None


def open_insurer(insurer: str, outbound: Outbound, account: Account) -> Insurer:
    """The adapter of a connection."""
    opened = CATALOGUE[insurer].open
    assert opened is not None, "a manual connection is never called"
    return opened(outbound, account)
