"""A foreign answer's body, read within bounds: a megabyte on the wire may be a gigabyte inflated."""

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class BodyRefused(Exception):
    """The body is too large, or not what it says; `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Collected:
    """A body; `truncated` when there was more."""

    content: bytes
    truncated: bool = False


async def collect(pieces: AsyncIterator[bytes], encoding: str, limit: int, truncate: bool) -> Collected:
    """The body, inflated, of `limit` bytes at the most. Raises BodyRefused for a longer one (unless it is to be truncated),
    an encoding we did not ask for, or one that does not inflate."""
    inflater = None
    if encoding in ("gzip", "x-gzip", "deflate"):
        inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
    elif encoding not in ("", "identity"):
        raise BodyRefused("answer_encoding_unknown")
    wire, kept = 0, bytearray()
    async for piece in pieces:
        wire += len(piece)
        try:
            # One byte more than allowed is enough to know that there is more.
            kept += inflater.decompress(piece, limit + 1 - len(kept)) if inflater else piece
        except zlib.error:
            raise BodyRefused("answer_not_inflatable") from None
        if len(kept) > limit or wire > limit:
            if not truncate:
                raise BodyRefused("answer_too_large")
            return Collected(bytes(kept[:limit]), truncated=True)
    if inflater is not None and not inflater.eof and wire:
        raise BodyRefused("answer_not_inflatable")
    return Collected(bytes(kept))
