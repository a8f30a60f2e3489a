"""Inflates a gzip stream piece by piece, within limits: a megabyte on the wire must not become a gigabyte here."""

import zlib
from collections.abc import Iterator

from services.ledger.domain.intake.errors import ImportFailed

MAX_INFLATED = 2 * 1024**3
#: JSON of invoices deflates 10 to 40 times; 1,000 is what gzip makes of nothing but zeros.
MAX_RATIO = 250
#: The ratio of less than this many bytes says nothing.
_RATIO_FROM = 32 * 1024**2
_PIECE = 1 << 20
_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """Passes plain bytes through and inflates gzip ones, told apart by the two bytes every gzip stream begins with (no
    text does). At most MAX_INFLATED bytes come out."""

    def __init__(self, *, max_inflated: int = MAX_INFLATED, max_ratio: int = MAX_RATIO) -> None:
        self._max_inflated = max_inflated
        self._max_ratio = max_ratio
        self._taken = 0
        self._given = 0
        self._head: bytes | None = b""
        self._inflater: zlib._Decompress | None = None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The plain bytes of a chunk, in pieces of at most 1 MiB if it was deflated. Raises ImportFailed."""
        self._taken += len(chunk)
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < len(_MAGIC):
                self._head = chunk
                return
            self._head = None
            if chunk.startswith(_MAGIC):
                self._inflater = zlib.decompressobj(_GZIP)
        if self._inflater is None:
            yield self._counted(chunk)
        else:
            yield from self._inflated(chunk)

    def finish(self) -> Iterator[bytes]:
        """What is left. Raises ImportFailed `gzip_truncated` in the middle of a stream."""
        if self._head:
            yield self._counted(self._head)
        inflater = self._inflater
        while inflater is not None and not inflater.eof:
            piece = inflater.decompress(
                b"", _PIECE
            )  # zlib may hold back what did not fit into the last piece
            if piece:
                yield self._counted(piece)
                continue
            raise ImportFailed(
                "gzip_truncated", "the gzip stream ends before its end mark: the transfer was cut"
            )

    def _inflated(self, chunk: bytes) -> Iterator[bytes]:
        inflater = self._inflater
        assert inflater is not None
        while chunk:
            if inflater.eof:  # gzip streams may follow one another; padding with zeros may follow them all
                if not chunk.strip(b"\0"):
                    return
                inflater = self._inflater = zlib.decompressobj(_GZIP)
            try:
                piece = inflater.decompress(chunk, _PIECE)
            except zlib.error:
                raise ImportFailed("gzip_invalid", "the body is not a valid gzip stream") from None
            chunk = inflater.unused_data or inflater.unconsumed_tail
            if piece:
                yield self._counted(piece)

    def _counted(self, piece: bytes) -> bytes:
        self._given += len(piece)
        if self._given > self._max_inflated:
            raise ImportFailed("file_too_large", f"expected at most {self._max_inflated} bytes once inflated")
        if self._inflater is not None and self._given > max(_RATIO_FROM, self._max_ratio * self._taken):
            raise ImportFailed("gzip_ratio", f"expected data that deflates at most {self._max_ratio} times")
        return piece
