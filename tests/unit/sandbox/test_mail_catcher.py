"""The mail catcher over real SMTP: what a sender hands in is what is seen, and whose it is."""

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiosmtplib
import pytest

from services.sandbox.mail_catcher import CaughtMail, MailCatcher

TENANT = "019a0000-0000-7000-8000-000000000001"


@pytest.fixture
def caught() -> list[CaughtMail]:
    return []


@pytest.fixture
async def catcher(caught: list[CaughtMail]) -> AsyncIterator[MailCatcher]:
    async def store(mail: CaughtMail) -> None:
        caught.append(mail)

    async with MailCatcher(store) as catcher:
        yield catcher


def reminder() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Encours Lyon <credit@example.com>"
    message["To"] = "camille@example.com"
    message["Subject"] = "Relance : 1 234,56 € à régler"
    message["Message-ID"] = "<019a@example.com>"
    message.set_content("Bonjour,\nla facture F-1 reste impayée.\n.\nCordialement\n")
    message.add_alternative("<p>Bonjour, la facture <b>F-1</b> reste impayée.</p>", subtype="html")
    message.add_attachment(
        b"%PDF-1.7 statement", maintype="application", subtype="pdf", filename="relevé.pdf"
    )
    return message


async def send(catcher: MailCatcher, message: EmailMessage, owner: str | None = None) -> None:
    await aiosmtplib.send(
        message,
        hostname="127.0.0.1",
        port=catcher.port,
        start_tls=False,
        username=owner,
        password="whatever" if owner else None,
    )


def connected(catcher: MailCatcher) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(hostname="127.0.0.1", port=catcher.port, start_tls=False)


async def test_a_message_is_seen_as_it_was_sent_and_belongs_to_the_log_in(
    catcher: MailCatcher, caught: list[CaughtMail]
) -> None:
    await send(catcher, reminder(), TENANT)
    (mail,) = caught
    assert mail.owner == TENANT
    assert (mail.sender, mail.recipients) == ("credit@example.com", ("camille@example.com",))
    assert mail.subject == "Relance : 1 234,56 € à régler"
    assert ("Message-ID", "<019a@example.com>") in mail.headers
    assert mail.text is not None
    assert mail.text.splitlines() == ["Bonjour,", "la facture F-1 reste impayée.", ".", "Cordialement"]
    assert mail.html is not None
    assert "<b>F-1</b> reste impayée" in mail.html
    (attachment,) = mail.attachments
    assert (attachment.filename, attachment.content_type, attachment.size) == (
        "relevé.pdf",
        "application/pdf",
        18,
    )


async def test_without_a_log_in_it_belongs_to_nobody(catcher: MailCatcher, caught: list[CaughtMail]) -> None:
    await send(catcher, reminder())
    assert caught[0].owner is None


@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login"])
async def test_each_connection_has_its_own_owner(
    catcher: MailCatcher, caught: list[CaughtMail], mechanism: str
) -> None:
    for owner in ("first", "second"):
        async with connected(catcher) as client:
            await client.ehlo()
            await getattr(client, mechanism)(owner, "x")
            await client.send_message(reminder())
    assert [mail.owner for mail in caught] == ["first", "second"]


async def test_the_envelope_is_kept_where_it_differs_from_the_headers(
    catcher: MailCatcher, caught: list[CaughtMail]
) -> None:
    message = reminder()
    async with connected(catcher) as client:
        await client.send_message(
            message, sender="bounces@example.com", recipients=["a@example.com", "b@example.com"]
        )
    assert caught[0].sender == "bounces@example.com"
    assert caught[0].recipients == ("a@example.com", "b@example.com")


async def test_what_could_not_be_kept_is_not_acknowledged() -> None:
    async def store(mail: CaughtMail) -> None:
        raise RuntimeError("disk full")

    async with MailCatcher(store) as catcher:
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await send(catcher, reminder())
    assert refused.value.code == 451
    assert "disk" not in refused.value.message


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"Subject: \xff\xfe\r\n\r\n\xff\xfe",
        b"Content-Type: text/plain; charset=klingon\r\n\r\nqapla\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nnever closed",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Subject: =?utf-8?b?!!!?=\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%\r\n",
        b"not a header at all",
    ],
)
async def test_broken_messages_are_caught_all_the_same(
    catcher: MailCatcher, caught: list[CaughtMail], raw: bytes
) -> None:
    async with connected(catcher) as client:
        await client.sendmail("a@example.com", ["b@example.com"], raw)
    assert len(caught) == 1


async def test_stopping_cuts_off_who_is_still_connected() -> None:
    async def store(mail: CaughtMail) -> None: ...

    catcher = MailCatcher(store)
    await catcher.start()
    client = connected(catcher)
    await client.connect()
    await asyncio.wait_for(catcher.stop(), timeout=2)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await client.noop()


async def test_a_port_in_use_is_said(catcher: MailCatcher, caught: list[CaughtMail]) -> None:
    async def store(mail: CaughtMail) -> None: ...

    with pytest.raises(OSError, match="in use"):
        await MailCatcher(store, port=catcher.port).start()
    assert caught == []


async def test_it_listens_on_the_loopback_interface_only(catcher: MailCatcher) -> None:
    assert catcher._server is not None
    assert {socket.getsockname()[0] for socket in catcher._server.sockets} == {"127.0.0.1"}
