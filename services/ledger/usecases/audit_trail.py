"""What the audit log is told of a change: the members that differ, before and after."""

from collections.abc import Collection, Iterable
from typing import Any

from libs.kit.db import Row
from libs.kit.responses import raw


def differences(
    before: Row, after: Row, members: Iterable[str], json_members: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members in which two states of a row differ, with their old and their new values."""
    differing = [name for name in members if before[name] != after[name]]

    def shown(row: Row) -> dict[str, Any]:
        return {name: raw(row[name]) if name in json_members else row[name] for name in differing}

    return shown(before), shown(after)
