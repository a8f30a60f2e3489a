"""Identifiers: UUIDv7 everywhere, made by the application (a distributed database has no sequences to offer)."""

from uuid import UUID

import uuid_utils

__all__ = ["UUID", "new_id"]


def new_id() -> UUID:
    """Return a fresh UUIDv7: time-ordered, so that inserts stay at the right edge of every index."""
    return UUID(int=uuid_utils.uuid7().int)
