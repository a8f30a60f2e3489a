"""The tenant in whose name a transaction runs, and what its clock shows."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from libs.kit import clock


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who works, in which time zone and reporting currency; `frozen_at` is set for sandbox tenants only."""

    id: UUID
    time_zone: str = "UTC"
    currency: str = "EUR"
    frozen_at: datetime | None = None

    def now(self) -> datetime:
        """The business instant (UTC): the frozen one of a sandbox tenant, else the wall clock."""
        return self.frozen_at or clock.wall()

    def today(self) -> date:
        """The business date in the tenant's own time zone."""
        return clock.local_date(self.now(), self.time_zone)
