"""Rows of one file that speak of the same thing.

The first row with a key is taken. A later one with the same content adds nothing: it is counted and left out. A later
one with another content is refused (`duplicate_in_file`): a file is one statement, of two that disagree nobody here
can tell which is meant, and letting the last one win would make the result depend on the order of an export.
"""

from array import array
from collections.abc import Sequence


class Seen:
    """The keys and contents met so far, as 64-bit fingerprints: 16 bytes a place, so a million rows need 32 MB and not
    the 150 MB of a dict. Two different keys share a fingerprint once in some 30 million files of a million rows
    (Python salts the hash of texts, so nobody can aim for it)."""

    def __init__(self) -> None:
        self._used = 0
        self._make_room(1 << 12)

    def repeats(self, keys: Sequence[int], contents: Sequence[int]) -> dict[int, bool]:
        """The positions of rows whose key was met before, and whether their content is the same; others are remembered."""
        while (self._used + len(keys)) * 2 > self._mask:
            self._grow()
        mask, known, says = self._mask, self._keys, self._contents
        repeats: dict[int, bool] = {}
        for position, key in enumerate(keys):
            key = key or 1  # 0 marks a free place
            place = key & mask
            while (found := known[place]) and found != key:
                place = (place + 1) & mask
            if found:
                repeats[position] = says[place] == contents[position]
            else:
                known[place] = key
                says[place] = contents[position]
        self._used += len(keys) - len(repeats)
        return repeats

    def _make_room(self, places: int) -> None:
        self._mask = places - 1
        self._keys = array("q", bytes(8 * places))
        self._contents = array("q", bytes(8 * places))

    def _grow(self) -> None:
        keys, contents = self._keys, self._contents
        self._make_room(4 * len(keys))
        mask, known, says = self._mask, self._keys, self._contents
        for position, key in enumerate(keys):
            if key:
                place = key & mask
                while known[place]:
                    place = (place + 1) & mask
                known[place] = key
                says[place] = contents[position]
