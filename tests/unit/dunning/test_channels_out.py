"""The ways out: mail over trusted TLS with a log-in, headers that cannot be broken, text messages, letters as PDF."""

import asyncio
import datetime as dt
import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdf
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from libs.contracts.tenant_settings import Brand
from libs.kit import mail, mail_message
from libs.kit.mail_message import Attachment
from libs.kit.problems import Problem
from libs.kit.settings import Settings
from services.dunning.channels import documents, sms
from services.dunning.domain.letters import render
from services.dunning.domain.letters.library import TEMPLATES
from tests.unit.dunning.books import item
from tests.unit.dunning.test_letters import letter

ROW: dict[str, Any] = {
    "sender_name": "Aciéries", "sender_email": "claims@example.com", "reply_to": "replies+1@example.com", "cc": "[]",
    "subject": "Reminder", "header_id": "<2@example.com>", "answers_to": ["<0@example.com>", "<1@example.com>"],
    "text": "Dear Ms Petit", "html": "<p>Dear Ms Petit</p>",
}  # fmt: skip
TO = [{"name": "Mme Petit", "email": "petit@example.com"}]


def certificate(directory: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now).not_valid_after(now + dt.timedelta(days=20_000))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    chain, private = directory / "cert.pem", directory / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return chain, private


class Post:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, bool]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.got.append((envelope.original_content or b"", session.ssl is not None))
        return "250 kept"


def _check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: object) -> AuthResult:
    good = isinstance(login, LoginPassword) and (login.login, login.password) == (b"house", b"secret")
    return AuthResult(success=good, handled=good)


@asynccontextmanager
async def post_office(post: Post, tls: ssl.SSLContext, *, starttls: bool) -> AsyncIterator[int]:
    def conversation() -> SMTP:
        return SMTP(
            post, hostname="localhost", authenticator=_check, auth_required=True, auth_require_tls=starttls,
            tls_context=tls if starttls else None, require_starttls=starttls,
        )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(
        conversation, "127.0.0.1", 0, ssl=None if starttls else tls
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("encryption", ["starttls", "tls"])
async def test_mail_leaves_over_trusted_tls_with_a_log_in_or_not_at_all(
    tmp_path: Path, encryption: Any
) -> None:
    chain, private = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, private)
    post = Post()
    async with post_office(post, tls, starttls=encryption == "starttls") as port:
        good = mail.Transport("localhost", port, encryption, "house", "secret", chain)
        documents_ = (Attachment("statement.pdf", "application/pdf", b"%PDF-1.4"),)
        row: Any = ROW
        assert await mail.send(good, row, TO, documents_) == ("sent", None)
        ((raw, _),) = post.got
        assert b"statement.pdf" in raw and b"In-Reply-To: <1@example.com>" in raw
        wrong = mail.Transport("localhost", port, encryption, "house", "guess", chain)
        assert await mail.send(wrong, row, TO) == ("failed", "the mail server refused the log-in")
        distrusted = mail.Transport("localhost", port, encryption, "house", "secret", None)
        outcome, error = await mail.send(distrusted, row, TO)
        assert outcome == "queued" and error and error.startswith("no connection")
    assert len(post.got) == 1
    assert (await mail.send(good, row, TO))[0] == "queued"  # nobody listens any more: surely not gone


def test_headers_hold_what_they_say_whatever_names_hold() -> None:
    evil = ROW | {"sender_name": "A\r\nBcc: x@example.com", "subject": "S\nX-Evil: 1\u2028"}
    message = mail_message.compose(evil, [{"name": 'B"\r\nCc: y@example.com', "email": "b@example.com"}])
    raw = bytes(message)
    head = raw.split(b"\r\n\r\n")[0]
    assert (
        message["Bcc"] is None and message["Cc"] is None and b"\nX-Evil" not in head and b"\nBcc" not in head
    )
    for address in (
        "a@example.com, b@example.com",
        "a@example.com\r\nBcc: x@y.z",
        "<a@example.com>",
        "nobody",
        "",
    ):
        with pytest.raises(ValueError, match="not an address"):
            mail_message.compose(ROW, [{"name": "", "email": address}])


@asynccontextmanager
async def provider(status: int, seen: list[bytes]) -> AsyncIterator[str]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        seen.append(head + await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/messages"
    finally:
        server.close()
        await server.wait_closed()


def settings(**more: Any) -> Settings:
    told: dict[str, Any] = {
        "database_url": "postgresql://x@127.0.0.1/x",
        "redis_url": "redis://127.0.0.1",
        "keys_dir": ".",
    }
    return Settings(**told, **more)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(202, "sent"), (409, "sent"), (400, "failed"), (401, "failed"), (429, "queued"), (503, "queued")],
)
async def test_a_text_message_is_handed_to_the_provider_once_under_its_id(status: int, outcome: str) -> None:
    seen: list[bytes] = []
    identifier = UUID(int=7)
    async with provider(status, seen) as url:
        there = sms.Provider(url, "HOUSE", "s3cret")
        said = await sms.send(settings(outbound_loopback=True), there, "+33612345678", "Pay\n", identifier)
        assert said[0] == outcome
        refused = await sms.send(settings(outbound_loopback=False), there, "+33612345678", "Pay", identifier)
        assert refused[0] == "failed"
    (request,) = seen
    assert b"Bearer s3cret" in request and str(identifier).encode() in request
    assert b'"to":"+33612345678"' in request and b'"text":"Pay"' in request


@pytest.mark.feature("F84")
async def test_a_letter_shows_address_words_and_items_and_says_which_font_is_missing() -> None:
    facts = letter(item("F-1", 123_456), name='#read("/etc/passwd") & Söhne', contact="Herr Müller")
    template = TEMPLATES["formal_notice_letter"]["de"]
    made = await documents.letter(template, facts, render(template, facts, "de"), Brand(name="Encours Lyon"))
    reader = pypdf.PdfReader(io.BytesIO(made.content))
    text = " ".join(reader.pages[0].extract_text().split())
    assert made.filename == "letter-LY00042-2026-03-11.pdf"
    for expected in (
        "Encours Lyon",
        "Herr Müller",
        '#read("/etc/passwd") & Söhne',
        "F-1",
        "1.234,56",
        "Letzte Mahnung",
    ):
        assert expected in text, expected
    for language in ("tr", "pl", "hr", "ro"):
        words = TEMPLATES["reminder_letter"][language]
        again = await documents.letter(words, facts, render(words, facts, language), Brand())
        assert again.content[:5] == b"%PDF-"
    words = TEMPLATES["reminder_letter"]["ja"]
    if not any("CJK" in family for family in documents.font_families()):
        with pytest.raises(Problem, match="font_missing"):
            await documents.letter(words, facts, render(words, facts, "ja"), Brand())
