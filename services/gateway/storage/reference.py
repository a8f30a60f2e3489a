"""Labels of the codes in the API, a file a language; English has them all."""

from functools import cache
from pathlib import Path

import msgspec

_DIRECTORY = Path(__file__).resolve().parents[1] / "reference"
Labels = dict[str, dict[str, str]]


@cache
def labels() -> dict[str, Labels]:
    """language -> enum -> code -> label, as the data files of the product say."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Labels)
        for path in sorted(_DIRECTORY.glob("*.json"))
    }
