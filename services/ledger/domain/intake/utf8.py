"""JSON is UTF-8; some programs begin it with a byte order mark all the same."""

import codecs

from services.ledger.domain.intake.errors import ImportFailed

_OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def without_mark(head: bytes) -> bytes:
    """The beginning of a file without the UTF-8 mark. Raises ImportFailed `encoding_invalid` for UTF-16."""
    if head.startswith(_OTHER_MARKS):
        raise ImportFailed("encoding_invalid", "expected UTF-8, this file is marked as UTF-16")
    return head.removeprefix(codecs.BOM_UTF8)
