"""What a snapshot closes: the open items of its scope that it does not name, unless its brake holds it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Closing:
    reason: str | None
    held: dict[str, Any]
