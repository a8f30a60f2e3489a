"""What a file is, told from its bytes: the sender's word refines a text and counts for nothing else."""

import filetype

TEXT = "text/plain"
_REFINED = {
    "text/csv": "text/csv",
    "application/json": "application/json",
    "application/xml": "application/xml",
    "text/xml": "application/xml",
}
_BINARY = frozenset(
    {
        "application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "image/tiff", "application/zip",
        "application/msword", "application/vnd.ms-excel", "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    }
)  # fmt: skip
#: Every type a kept file can have.
MEDIA_TYPES: tuple[str, ...] = tuple(sorted(_BINARY | {TEXT, *_REFINED.values()}))
_HEAD = 8192
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13}


def media_type_of(body: bytes, declared: str) -> str | None:
    """The type of a file; None for one that is not kept (a program, an archive nobody asked for, noise).

    A text without control characters may be called CSV, JSON or XML by its sender; whatever else it is called, HTML
    included, it is plain text.
    """
    guessed = filetype.guess_mime(body[:_HEAD])
    if guessed is not None:
        return guessed if guessed in _BINARY else None
    if not body or not _CONTROLS.isdisjoint(body):
        return None
    return _REFINED.get(declared.partition(";")[0].strip().lower(), TEXT)
