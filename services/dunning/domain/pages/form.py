"""A form as a browser sends it (multipart/form-data, RFC 7578), taken apart with the reader of mails."""

from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from services.dunning.domain.replies.mail import Enclosure

__all__ = ["Form", "form_of"]

MOST_FILES = 5
_MOST_PARTS = 2100


@dataclass(frozen=True, slots=True)
class Form:
    """Values by name, in order, and the files that are not empty."""

    values: dict[str, list[str]]
    files: tuple[Enclosure, ...]

    def first(self, name: str) -> str:
        """The first value of a name, empty without one."""
        return (self.values.get(name) or [""])[0].strip()


def form_of(content_type: str, body: bytes) -> Form:
    """Raises ValueError for what is no form, or has more files or parts than a page sends."""
    if not content_type.startswith("multipart/form-data") or not content_type.isprintable():
        raise ValueError("not a form")
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    assert isinstance(message, EmailMessage)
    parts = list(message.iter_parts()) if message.is_multipart() else []
    if not parts or len(parts) > _MOST_PARTS:
        raise ValueError("not a form")
    values: dict[str, list[str]] = {}
    files = []
    for part in parts:
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(payload, bytes):
            raise ValueError("not a form")
        filename = part.get_filename()
        if filename is None:
            values.setdefault(name, []).append(payload.decode("utf-8", "replace").replace("\x00", ""))
        elif payload:
            clean = "".join(char for char in filename if char.isprintable())[-200:] or "file"
            files.append(Enclosure(clean, part.get_content_type()[:100], payload))
    if len(files) > MOST_FILES:
        raise ValueError("too many files")
    return Form(values, tuple(files))
