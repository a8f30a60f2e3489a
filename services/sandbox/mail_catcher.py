"""A mail server that delivers nothing: it takes every message over real SMTP and hands it on to be looked at.

Whoever logs in says by the user name whose mail it is (a tenant's id; any password will do, for nothing is
protected here); a message sent without logging in belongs to nobody. It listens on the loopback interface
only.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from weakref import WeakSet

import structlog
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from libs.kit import clock

__all__ = ["Attachment", "CaughtMail", "MailCatcher"]

LARGEST_MESSAGE = 20 * 1024 * 1024
_LONGEST_BODY = 1_000_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What hung on a message; `size` in bytes."""

    filename: str | None
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class CaughtMail:
    """A message as it was read. `owner` is the user name of the log-in, `sender` and `recipients` those of
    the envelope, which may differ from the headers; `caught_at` is on the wall clock."""

    owner: str | None
    sender: str
    recipients: tuple[str, ...]
    subject: str
    headers: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None
    attachments: tuple[Attachment, ...]
    size: int
    caught_at: datetime


Store = Callable[[CaughtMail], Awaitable[None]]


class MailCatcher:
    """Listens until it is stopped; `store` is awaited for each message, and the sender is told 250 only
    after it.

        async with MailCatcher(store, port=2525) as catcher: ...

    Port 0 takes a free one. Raises OSError when the port is in use.
    """

    def __init__(self, store: Store, host: str = "127.0.0.1", port: int = 0) -> None:
        self._store = store
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._conversations: WeakSet[SMTP] = WeakSet()

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        assert self._server is not None, "not started"
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            self._conversation, self._host, self._port
        )

    async def stop(self) -> None:
        """Close the door; conversations under way are cut off."""
        if self._server is not None:
            self._server.close()
            for conversation in list(self._conversations):
                if conversation.transport is not None:
                    conversation.transport.close()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> "MailCatcher":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _conversation(self) -> SMTP:
        conversation = SMTP(
            self,
            hostname="mail-catcher",
            ident="Encours mail catcher",
            data_size_limit=LARGEST_MESSAGE,
            enable_SMTPUTF8=True,
            authenticator=_welcome,
            auth_require_tls=False,
        )
        self._conversations.add(conversation)
        return conversation

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """A whole message has come in."""
        owner = session.auth_data if isinstance(session.auth_data, str) else None
        try:
            mail = read_mail(envelope, owner)
        except (ValueError, LookupError):
            return "554 5.6.0 This is not a message"
        try:
            await self._store(mail)
        except Exception:
            log.exception("mail_not_stored", owner=owner, size=mail.size)
            return "451 4.3.0 It could not be kept, try again later"
        return "250 2.0.0 Caught"


def _welcome(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: object) -> AuthResult:
    """Anybody may log in: the name says whose mail it is."""
    if isinstance(login, LoginPassword):
        return AuthResult(success=True, auth_data=login.login.decode("utf-8", "replace"))
    return AuthResult(success=False, handled=False)


def read_mail(envelope: Envelope, owner: str | None) -> CaughtMail:
    """A message taken apart. Bodies longer than a million characters are cut."""
    raw = envelope.original_content or b""
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    return CaughtMail(
        owner=owner,
        sender=envelope.mail_from or "",
        recipients=tuple(envelope.rcpt_tos),
        subject=str(message.get("Subject", "")),
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        attachments=tuple(
            _attachment(part) for part in message.iter_attachments() if isinstance(part, EmailMessage)
        ),
        size=len(raw),
        caught_at=clock.wall(),
    )


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return None
    try:
        content = part.get_content()
    except LookupError:  # a charset nobody knows: better with gaps than not at all
        payload = part.get_payload(decode=True)
        content = payload.decode("ascii", "replace") if isinstance(payload, bytes) else ""
    return str(content)[:_LONGEST_BODY]


def _attachment(part: EmailMessage) -> Attachment:
    payload = part.get_payload(decode=True)
    size = len(payload) if isinstance(payload, bytes) else 0
    return Attachment(part.get_filename(), part.get_content_type(), size)
