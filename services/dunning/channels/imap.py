"""Reading a mailbox over IMAP: what is new since the last time, oldest first. Nothing is deleted, nothing marked.

`imaplib` blocks, so it runs in a thread; the connection goes to the very address that was looked at, never to this machine's own
network unless settings say so.
"""

import asyncio
import imaplib
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from libs.kit.outbound_policy import Destination, HostPolicy, PolicyRefused
from libs.kit.settings import Settings

_SECONDS = 20.0
_AT_ONCE = 50
_LARGEST = 20 * 1024 * 1024


class ImapFailed(Exception):
    """The mailbox could not be read; the text is for the tenant and holds no secret."""


@dataclass(frozen=True, slots=True, repr=False)
class Mailbox:
    """Where a mailbox is and how to get in. `encryption`: tls, starttls or none (this machine only)."""

    host: str
    port: int
    encryption: str
    user: str
    password: str
    folder: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """New mails as (uid, raw), and the mailbox's UIDVALIDITY they are numbered under."""

    uid_validity: int
    mails: tuple[tuple[int, bytes], ...]


async def fetch(settings: Settings, mailbox: Mailbox, uid_validity: int | None, last_uid: int) -> Fetched:
    """Up to 50 mails that came after `last_uid`; all that are there when the server numbers anew. Raises ImapFailed."""
    address = await _address(settings, mailbox)
    try:
        return await asyncio.to_thread(_fetch, settings, mailbox, address, uid_validity, last_uid)
    except (OSError, imaplib.IMAP4.error, ValueError, TypeError, IndexError) as error:
        raise ImapFailed(f"the mailbox could not be read ({type(error).__name__})") from None


async def _address(settings: Settings, mailbox: Mailbox) -> str:
    policy = HostPolicy(None, loopback=settings.outbound_loopback)
    there = Destination(mailbox.encryption != "none", mailbox.host, mailbox.port, None)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            mailbox.host, mailbox.port, type=socket.SOCK_STREAM
        )
        addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
        policy.check(there, addresses)
    except (OSError, UnicodeError):
        raise ImapFailed("the server's name is not known") from None
    except PolicyRefused as refused:
        raise ImapFailed(f"the server's address is not called ({refused.reason})") from None
    return str(addresses[0])


def _fetch(
    settings: Settings, mailbox: Mailbox, address: str, uid_validity: int | None, last_uid: int
) -> Fetched:
    trusted = ssl.create_default_context()
    if settings.smtp_ca_file is not None:
        trusted.load_verify_locations(settings.smtp_ca_file)
    client = _Pinned(mailbox, address, trusted)
    try:
        if mailbox.encryption == "starttls":
            client.starttls(trusted)
        client.login(mailbox.user, mailbox.password)
        status, _ = client.select(_quoted(mailbox.folder), readonly=True)
        if status != "OK":
            raise ImapFailed("the folder is not there")
        validity = int(client.response("UIDVALIDITY")[1][0] or b"0")
        after = last_uid if validity == uid_validity else 0
        _, found = client.uid("SEARCH", "UID", f"{after + 1}:*")
        uids = sorted(int(one) for one in (found[0] or b"").split() if int(one) > after)[:_AT_ONCE]
        return Fetched(validity, tuple((uid, _one(client, uid)) for uid in uids))
    finally:
        try:
            client.logout()
        except (OSError, imaplib.IMAP4.error):
            client.shutdown()


def _one(client: imaplib.IMAP4, uid: int) -> bytes:
    _, answer = client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{_LARGEST}>)")
    for part in answer:
        if isinstance(part, tuple) and isinstance(part[1], bytes):
            return part[1]
    return b""


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Pinned(imaplib.IMAP4):
    """Connects to an address that was looked at, and greets it by its name."""

    def __init__(self, mailbox: Mailbox, address: str, trusted: ssl.SSLContext) -> None:
        self._mailbox, self._address, self._trusted = mailbox, address, trusted
        super().__init__(mailbox.host, mailbox.port, timeout=_SECONDS)

    def _create_socket(self, timeout: Any) -> socket.socket:
        plain = socket.create_connection((self._address, self._mailbox.port), timeout)
        if self._mailbox.encryption != "tls":
            return plain
        return self._trusted.wrap_socket(plain, server_hostname=self._mailbox.host)
