"""A mail as it goes over the wire: headers that hold what they say and nothing more, text, HTML, documents."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import Any

import msgspec

from libs.kit import clock

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]]+@[^\s@<>\"(),:;\\\[\]]+")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that goes with a mail. `content_type` is type/subtype."""

    filename: str
    content_type: str
    content: bytes


Attachments = tuple[Attachment, ...]


def is_address(text: str) -> bool:
    """Whether a text is one plain address, so that it cannot become two, or a header of its own."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def one_line(text: str) -> str:
    """A text for a header: no line break, no control character."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def compose(
    mail: Mapping[str, Any], recipients: Sequence[Mapping[str, str]], attachments: Attachments = ()
) -> EmailMessage:
    """The message of a row of `mails`. Raises ValueError for an address that is none, or when nobody is left to write to."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _written({"name": mail["sender_name"], "email": mail["sender_email"]})
    message["To"] = ", ".join(_written(one) for one in recipients)
    cc = msgspec.json.decode(mail["cc"])
    if cc:
        message["Cc"] = ", ".join(_written(one) for one in cc)
    if mail["reply_to"]:
        message["Reply-To"] = _written({"email": mail["reply_to"]})
    message["Subject"] = one_line(mail["subject"])
    message["Message-ID"] = mail["header_id"]
    if mail["answers_to"]:
        message["In-Reply-To"] = mail["answers_to"][-1]
        message["References"] = " ".join(mail["answers_to"])
    message["Date"] = format_datetime(clock.wall())
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail["text"])
    if mail["html"]:
        message.add_alternative(mail["html"], subtype="html")
    for one in attachments:
        kind, _, subtype = one.content_type.partition("/")
        message.add_attachment(one.content, maintype=kind, subtype=subtype, filename=one_line(one.filename))
    return message


def _written(person: Mapping[str, Any]) -> str:
    if not is_address(person["email"]):
        raise ValueError("not an address")
    return formataddr((one_line(person.get("name") or ""), person["email"]))
