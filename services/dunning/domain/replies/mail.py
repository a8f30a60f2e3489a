"""An incoming mail taken apart: who wrote, in answer to what, the words that are new, and whether a machine wrote it."""

import re
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import getaddresses, parseaddr
from uuid import UUID

import nh3

__all__ = ["Bounce", "Enclosure", "Heard", "read"]

_LONGEST_TEXT = 20_000
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")
_PLUS = re.compile(r"\+([0-9a-f]{32})@")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_BREAKS = re.compile(r"(?i)<br\s*/?>|</(p|div|tr|li|h\d)>")
#: The line above a quoted message, as the common programs write it, and marks of quoting.
_QUOTE = re.compile(
    r"(?im)^(>|-{2,}\s*(original message|message d'origine|ursprüngliche nachricht|mensaje original|messaggio originale"
    r"|oorspronkelijk bericht|mensagem original|wiadomość oryginalna|mesaj original|izvorna poruka|ursprungligt meddelande"
    r"|özgün ileti|元のメッセージ|原始邮件)"
    r"|(on|le|am|el|il|op|em|dnia|den|în|dana)\b.{4,200}(wrote|a écrit|schrieb|escribió|ha scritto|schreef|escreveu"
    r"|napisał\(?a?\)?|skrev|a scris|je napisao(/la)?|yazdı)\s*:\s*$|_{10,}\s*$"
    r"|(from|de|von|da|van|od|från|kimden|差出人|发件人)\s?[:：].*@)"
)


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report that says no. `status` as of RFC 3463; `permanent` when trying again is useless."""

    recipient: str
    status: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that came with a mail."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """An incoming mail. `answers_to` are the Message-IDs it refers to, the nearest first; `plus_ids` the ids in the addresses it
    was sent to; `text` is what the writer added to what is quoted."""

    sender_email: str
    sender_name: str
    subject: str
    text: str
    header_id: str | None
    answers_to: tuple[str, ...]
    plus_ids: tuple[UUID, ...]
    automatic: bool
    bounces: tuple[Bounce, ...]
    enclosures: tuple[Enclosure, ...]


def read(raw: bytes) -> Heard:
    """Take a raw RFC 5322 message apart. Raises ValueError for what is no mail: nobody wrote it."""
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    name, address = parseaddr(_header(message, "From"))
    bounces = tuple(_bounces(message))
    if "@" not in address and not bounces:
        raise ValueError("no sender")
    ids = _MESSAGE_ID.findall(_header(message, "In-Reply-To"))
    ids += reversed(_MESSAGE_ID.findall(_header(message, "References")))
    if bounces:
        ids += _original_ids(message)
    own = _MESSAGE_ID.findall(_header(message, "Message-ID"))
    targets = getaddresses([_header(message, one) for one in ("To", "Cc", "Delivered-To", "X-Original-To")])
    return Heard(
        sender_email=address.lower()[:254],
        sender_name=_clean(name)[:200],
        subject=_clean(_header(message, "Subject"))[:500],
        text=_new_words(_text(message))[:_LONGEST_TEXT],
        header_id=own[0] if own else None,
        answers_to=tuple(dict.fromkeys(ids)),
        plus_ids=tuple(UUID(found) for _, target in targets for found in _PLUS.findall(target.lower())),
        automatic=_automatic(message),
        bounces=bounces,
        enclosures=tuple(_enclosures(message)) if not bounces else (),
    )


def _header(message: Message, name: str) -> str:
    """A header as text; one that cannot be decoded counts as empty, for headers are strangers' writing."""
    try:
        return str(message.get(name, ""))
    except (ValueError, LookupError, IndexError, AttributeError, TypeError):
        return ""


def _automatic(message: Message) -> bool:
    """RFC 3834, and the headers of programs that came before it."""
    said = _header(message, "Auto-Submitted").lower()
    precedence = _header(message, "Precedence").lower()
    return (
        (said not in ("", "no"))
        or precedence in ("auto_reply", "bulk", "junk")
        or bool(_header(message, "X-Autoreply") or _header(message, "X-Autorespond"))
    )


def _bounces(message: Message) -> list[Bounce]:
    """RFC 3464: the recipients a delivery report gives up on."""
    found = []
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in part.get_payload() if isinstance(part.get_payload(), list) else []:
            if not isinstance(block, Message) or _header(block, "Action").strip().lower() != "failed":
                continue
            recipient = (_header(block, "Final-Recipient") or _header(block, "Original-Recipient")).partition(
                ";"
            )[2]
            status = _STATUS.search(_header(block, "Status"))
            code = status[0] if status else "5.0.0"
            found.append(Bounce(recipient.strip().lower(), code, code.startswith("5")))
    return found


def _original_ids(message: Message) -> list[str]:
    """The Message-ID of what a delivery report sends back, whole or its headers only."""
    ids = []
    for part in message.walk():
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                ids += _MESSAGE_ID.findall(_header(inner[0], "Message-ID"))
        elif part.get_content_type() == "text/rfc822-headers":
            text = str(part.get_payload())
            match = re.search(r"(?im)^message-id:\s*(<[^<>\s]{3,250}>)", text)
            ids += [match[1]] if match else []
    return ids


def _text(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        content = str(part.get_content())
    except (LookupError, ValueError):
        payload = part.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    if part.get_content_type() == "text/html":
        content = nh3.clean(_BREAKS.sub("\n", content), tags=set())
        for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&quot;", '"'), ("&amp;", "&")):
            content = content.replace(entity, char)
    return content.replace("\x00", "")


def _new_words(text: str) -> str:
    """Without what is quoted below or above the answer."""
    text = text.replace("\r\n", "\n")
    match = _QUOTE.search(text)
    if match is not None and text[: match.start()].strip():
        text = text[: match.start()]
    lines = [line for line in text.split("\n") if not line.startswith(">")]
    return "\n".join(lines).strip()


def _enclosures(message: EmailMessage) -> list[Enclosure]:
    found = []
    for part in message.iter_attachments():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and payload:
            name = _clean(part.get_filename() or "attachment")[:200]
            found.append(Enclosure(name, part.get_content_type()[:100], payload))
    return found[:20]


def _clean(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
