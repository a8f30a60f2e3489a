"""What customers answer: heard by webhook and IMAP, threaded, read by rules, decided by a person; and what comes back."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from libs.testkit.tenant import TestTenant

MONDAY = "2026-03-02T09:00:00+01:00"
RFC822 = {"content-type": "message/rfc822"}


@pytest.fixture
async def house(make_tenant) -> TestTenant:
    return await make_tenant(now=MONDAY, name="Aciéries du Rhône")


async def reminded(house: TestTenant, email: str = "compta@example.com") -> tuple[str, str, dict[str, Any]]:
    """A customer that was just reminded of one invoice; (customer, item, message)."""
    body = {
        "external_id": "C1", "name": "Client C1", "language": "fr", "currency": "EUR",
        "company": {"country": "FR", "name": "Client C1"},
        "contacts": [{"name": "Mme Petit", "email": email, "role": "accounting", "language": "fr"}],
        "address": {"line1": "1 rue de la Paix", "city": "Lyon", "country": "FR"},
    }  # fmt: skip
    customer = (await house.client.post("/v1/customers", json=body)).json()["id"]
    item = {
        "kind": "invoice", "external_id": "F-1001", "number": "F-1001", "customer_id": customer, "issue_date": "2026-01-15",
        "due_date": "2026-02-20", "currency": "EUR", "amount": "1000.00",
    }  # fmt: skip
    item_id = (await house.client.post("/v1/items", json=item)).json()["id"]
    assert (await house.client.post("/v1/dunning-runs", json={})).status_code == 202
    await house.settle()
    (message,) = (await house.client.get("/v1/messages")).json()["data"]
    assert message["state"] == "sent", message
    return customer, item_id, message


async def mailbox(house: TestTenant, **more: Any) -> str:
    body = {
        "name": "Replies",
        "kind": "webhook",
        "address": "replies@house.example",
        "plus_address": True,
        **more,
    }
    answer = await house.client.post("/v1/inbound-mailboxes", json=body)
    assert answer.status_code == 201, answer.text
    path: str = answer.json()["webhook_path"]
    assert len(path) > 60
    return path


def answer_to(header_id: str | None, text: str, sender: str = "compta@example.com", **headers: str) -> bytes:
    threading = {"In-Reply-To": header_id} if header_id else {}
    lines = {
        "From": sender,
        "To": "replies@house.example",
        "Subject": "Re",
        "Message-ID": f"<{hash(text)}@x>",
    }
    head = "".join(f"{name}: {value}\n" for name, value in {**lines, **threading, **headers}.items())
    return f"{head}Content-Type: text/plain; charset=utf-8\n\n{text}\n".encode()


@pytest.mark.feature("F103", "F85", "F114", "G18")
async def test_an_answer_is_threaded_read_and_becomes_a_promise_when_a_person_says_so(
    house: TestTenant,
) -> None:
    path = await mailbox(house)
    customer, item, message = await reminded(house)
    (mail,) = (await house.client.get("/v1/sandbox/mails")).json()["data"]
    headers = {one["name"]: one["value"] for one in mail["headers"]}
    token = re.fullmatch(r"replies\+([0-9a-f]{32})@house\.example", headers["Reply-To"])
    assert token and headers["Message-ID"] == message["header_message_id"]
    assert [one["content_type"] for one in mail["attachments"]] == ["application/pdf"]

    public = house.client_of(None)
    raw = answer_to(message["header_message_id"], "Bonjour, nous réglerons la facture F-1001 le 12 mars.")
    stored = await public.post(path, content=raw, headers=RFC822)
    assert (stored.status_code, stored.json()["status"]) == (201, "stored")
    again = await public.post(path, content=raw, headers=RFC822)
    assert (again.status_code, again.json()) == (200, {"status": "duplicate", "reply_id": None})
    wrong = await public.post("/v1/webhooks/inbound-mail/" + "x" * 43, content=raw, headers=RFC822)
    assert wrong.status_code == 404
    assert (await public.post(path, content=b"nonsense", headers=RFC822)).status_code == 422

    (reply,) = (await house.client.get("/v1/replies", params={"state": "open"})).json()["data"]
    assert (reply["customer_id"], reply["message_id"], reply["threaded_by"]) == (
        customer,
        message["id"],
        "message_id",
    )
    assert reply["items"] == [item]
    (proposal,) = reply["proposals"]
    assert (proposal["kind"], proposal["on"], proposal["category"]) == ("promise", "2026-03-12", "promise")
    assert proposal["because"] in "nous réglerons la facture"

    accepted = await house.client.post(f"/v1/replies/{reply['id']}/accept", json={})
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted"), accepted.text
    (promise,) = (await house.client.get("/v1/promises", params={"customer_id": customer})).json()["data"]
    assert (promise["item_ids"], promise["promised_on"]) == ([item], "2026-03-12")
    twice = await house.client.post(f"/v1/replies/{reply['id']}/accept", json={})
    assert (twice.status_code, twice.json()["code"]) == (409, "invalid_state")

    # Without a thread: by the plus address, then by the sender's address alone; a stranger is nobody.
    plus = answer_to(None, "Sans objet", To=headers["Reply-To"], From="autre@example.com")
    for raw, how in (
        (plus, "plus_address"),
        (answer_to(None, "Merci de votre message"), "sender_address"),
        (answer_to(None, "Hello", sender="stranger@example.org"), None),
    ):
        kept = (await public.post(path, content=raw, headers=RFC822)).json()
        one = (await house.client.get(f"/v1/replies/{kept['reply_id']}")).json()
        assert (one["threaded_by"], one["customer_id"]) == (how, customer if how else None)
        assert one["proposals"][0]["kind"] == "other"
        dismissed = await house.client.post(f"/v1/replies/{one['id']}/dismiss", json={"reason": "read"})
        assert dismissed.json()["state"] == "dismissed"
    assert (await house.client.get("/v1/replies", params={"state": "open"})).json()["data"] == []


REPORT = """\
From: MAILER-DAEMON@mx.example
To: replies@house.example
Subject: Undelivered
Message-ID: <dsn-{n}@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}

--b
Content-Type: text/rfc822-headers

Message-ID: {header_id}
--b--
"""


@pytest.mark.feature("F114", "N7")
async def test_a_bounce_ends_the_message_blocks_the_address_and_asks_for_a_person(house: TestTenant) -> None:
    path = await mailbox(house)
    customer, _, message = await reminded(house, email="gone@example.com")
    public = house.client_of(None)
    forged = REPORT.format(
        n=1, recipient="other@example.com", status="5.1.1", header_id=message["header_message_id"]
    )
    await public.post(path, content=forged.encode(), headers=RFC822)
    assert (await house.client.get(f"/v1/messages/{message['id']}")).json()["state"] == "sent"
    report = REPORT.format(
        n=2, recipient="Gone@Example.com", status="5.1.1", header_id=message["header_message_id"]
    )
    assert (await public.post(path, content=report.encode(), headers=RFC822)).status_code == 201

    bounced = (await house.client.get(f"/v1/messages/{message['id']}")).json()
    assert (bounced["state"], bounced["error"]) == ("bounced", "not delivered (5.1.1)")
    (blocked,) = (await house.client.get("/v1/blocked-addresses")).json()["data"]
    assert (blocked["address"], blocked["reason"], blocked["message_id"]) == (
        "gone@example.com",
        "bounced",
        message["id"],
    )
    (action,) = (await house.client.get("/v1/actions", params={"state": "blocked"})).json()["data"]
    assert (action["customer_id"], action["reason"]) == (customer, "delivery_failed")
    assert (await house.client.get("/v1/replies", params={"state": "open"})).json()["data"] == []

    await house.advance(to="2026-03-20")
    mails = (await house.client.get("/v1/sandbox/mails", params={"to": "gone@example.com"})).json()["data"]
    assert len(mails) == 1


@asynccontextmanager
async def imap_server(mails: list[bytes]) -> AsyncIterator[int]:
    """As much of an IMAP server as a polite reader needs; UIDs count from 1."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).decode().strip():
            tag, _, command = line.partition(" ")
            name = command.split(" ")[0].upper()
            if name == "CAPABILITY":
                writer.write(b"* CAPABILITY IMAP4rev1\r\n")
            elif name == "LOGIN" and "secret" not in command:
                writer.write(f"{tag} NO bad login\r\n".encode())
                continue
            elif name == "EXAMINE":
                writer.write(f"* {len(mails)} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n".encode())
            elif command.upper().startswith("UID SEARCH"):
                first = int(re.search(r"UID (\d+):", command)[1])  # type: ignore[index]
                found = [n for n in range(1, len(mails) + 1) if n >= first] or [
                    len(mails)
                ]  # RFC 3501: n:* is never empty
                writer.write(f"* SEARCH {' '.join(map(str, found))}\r\n".encode())
            elif command.upper().startswith("UID FETCH"):
                uid = int(command.split()[2])
                raw = mails[uid - 1]
                writer.write(
                    f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n"
                )
            elif name == "LOGOUT":
                writer.write(b"* BYE\r\n")
            writer.write(f"{tag} OK done\r\n".encode())
            await writer.drain()
            if name == "LOGOUT":
                break
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.feature("F103")
async def test_a_mailbox_is_read_over_imap_each_mail_once(house: TestTenant) -> None:
    customer, item, message = await reminded(house)
    mails = [
        answer_to(message["header_message_id"], "We dispute F-1001, the price is wrong."),
        b"no mail at all",
    ]
    async with imap_server(mails) as port:
        server = {
            "host": "127.0.0.1",
            "port": port,
            "encryption": "none",
            "user": "replies",
            "folder": "INBOX",
        }
        body = {"name": "IMAP", "kind": "imap", "imap": server, "password": "wrong"}
        made = (await house.client.post("/v1/inbound-mailboxes", json=body)).json()
        assert "password" not in made and made["webhook_path"] is None
        refused = (await house.client.post(f"/v1/inbound-mailboxes/{made['id']}/poll")).json()
        assert (refused["heard"], refused["mailbox"]["error"]) == (0, "the mailbox could not be read (error)")

        made = (await house.client.post("/v1/inbound-mailboxes", json=body | {"password": "secret"})).json()
        first = (await house.client.post(f"/v1/inbound-mailboxes/{made['id']}/poll")).json()
        assert (first["heard"], first["mailbox"]["error"]) == (1, None)
        mails.append(answer_to(None, "On leave", **{"Auto-Submitted": "auto-replied"}))
        assert (await house.client.post(f"/v1/inbound-mailboxes/{made['id']}/poll")).json()["heard"] == 1
        assert (await house.client.post(f"/v1/inbound-mailboxes/{made['id']}/poll")).json()["heard"] == 0

    automatic, dispute = (await house.client.get("/v1/replies")).json()["data"]
    assert (automatic["kind"], automatic["proposals"][0]["kind"]) == ("automatic", "out_of_office")
    assert (dispute["source"], dispute["items"], dispute["proposals"][0]["kind"]) == (
        "imap",
        [item],
        "dispute",
    )
    body = {"status_code": "dispute", "dispute_kind": "price"}
    accepted = await house.client.post(f"/v1/replies/{dispute['id']}/accept", json=body)
    assert accepted.status_code == 200, accepted.text
    (opened,) = (await house.client.get("/v1/disputes", params={"customer_id": customer})).json()["data"]
    assert opened["state"] == "open"


async def test_a_mailbox_in_the_houses_own_network_is_not_called(house: TestTenant) -> None:
    server = {"host": "10.0.0.1", "port": 993, "encryption": "tls", "user": "x", "folder": "INBOX"}
    body = {"name": "IMAP", "kind": "imap", "imap": server, "password": "secret"}
    made = (await house.client.post("/v1/inbound-mailboxes", json=body)).json()
    polled = (await house.client.post(f"/v1/inbound-mailboxes/{made['id']}/poll")).json()
    assert polled["mailbox"]["error"] == "the server's address is not called (address_not_allowed)"
