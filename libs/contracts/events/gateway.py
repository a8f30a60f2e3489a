"""What the gateway tells: tenants, business units, users."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.contracts.events.state import State


class TenantChanged(State):
    """A tenant was created, suspended, its settings or (sandbox) clock moved. Subject: the tenant."""

    name: str
    status: Literal["active", "suspended", "deleted"]
    time_zone: str
    currency: str
    sandbox: bool
    frozen_at: datetime | None
    settings: dict[str, Any]


class BusinessUnitChanged(State):
    """An own company that invoices."""

    code: str
    name: str
    main: bool


class UserChanged(State):
    """A person of the tenant; `perimeter` holds business unit ids, null is all."""

    name: str
    email: str
    roles: list[str]
    perimeter: list[UUID] | None
    active: bool
