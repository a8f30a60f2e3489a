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


class WebhookEndpointChanged(State):
    """An endpoint of the tenant's own was made, changed, or switched on or off, by a person or by the house. Never told to
    an endpoint about itself once it is off."""

    host: str
    types: list[str]
    enabled: bool
    disabled_reason: Literal["by_user", "gone", "failing"] | None
    failing_since: datetime | None


class WebhookEndpointPinged(State):
    """A trial: sent to one endpoint when it is asked for, and not part of the stream."""

    host: str
