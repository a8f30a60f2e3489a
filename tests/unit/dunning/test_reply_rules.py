"""What an answer may mean, in several languages; and what a mail says about itself."""

from datetime import date

import pytest

from services.dunning.domain.replies.dates import first_date
from services.dunning.domain.replies.mail import read
from services.dunning.domain.replies.rules import Kind, mentioned, propose

TODAY = date(2026, 3, 4)  # a Wednesday


@pytest.mark.feature("F103")
@pytest.mark.parametrize(
    ("text", "kind", "on"),
    [
        ("We will pay on 15 March.", "promise", date(2026, 3, 15)),
        ("Payment will be made by Friday at the latest", "promise", date(2026, 3, 6)),
        ("Nous réglerons la facture le 12/03.", "promise", date(2026, 3, 12)),
        ("Le virement est prévu pour la fin du mois.", "promise", date(2026, 3, 31)),
        ("Wir werden die Rechnung am 20.03.2026 überweisen.", "promise", date(2026, 3, 20)),
        ("Die Rechnung wird morgen bezahlt.", "promise", date(2026, 3, 5)),
        ("Pagaremos el 10 de abril.", "promise", date(2026, 4, 10)),
        ("Pagheremo entro il 9 aprile 2026", "promise", date(2026, 4, 9)),
        ("Wij zullen op 18 maart betalen.", "promise", date(2026, 3, 18)),
        ("Faktura zostanie zapłacona 16 marca.", "promise", date(2026, 3, 16)),
        ("Vom plăti factura pe 25 martie.", "promise", date(2026, 3, 25)),
        ("Platit ćemo 11.3.2026.", "promise", date(2026, 3, 11)),
        ("Vi kommer att betala den 17 mars.", "promise", date(2026, 3, 17)),
        ("20 Mart tarihinde ödeyeceğiz.", "promise", date(2026, 3, 20)),
        ("3月15日に支払います。", "promise", date(2026, 3, 15)),
        ("我们将于3月20日付款。", "promise", date(2026, 3, 20)),
        ("This invoice was paid on 27 February.", "already_paid", date(2026, 2, 27)),
        ("Cette facture a déjà été réglée.", "already_paid", None),
        ("Der Betrag wurde bereits überwiesen.", "already_paid", None),
        ("La factura ya está pagada.", "already_paid", None),
        ("Faktura została już zapłacona... już zapłacono", "already_paid", None),
        ("已经付款。", "already_paid", None),
        ("We dispute this invoice: the goods arrived damaged.", "dispute", None),
        ("Nous contestons cette facture, erreur de prix.", "dispute", None),
        ("Wir beanstanden die Rechnung.", "dispute", None),
        ("Contestiamo la fattura.", "dispute", None),
        ("請求書に異議があります。", "dispute", None),
        ("Please send us a copy of the invoice.", "document_request", None),
        ("I am no longer with the company.", "wrong_person", None),
        ("Monsieur Petit a quitté la société.", "wrong_person", None),
        ("Thank you for your message.", "other", None),
    ],
)
def test_an_answer_is_read_by_its_words(text: str, kind: str, on: date | None) -> None:
    first = propose("Re: reminder", text, TODAY)[0]
    assert (first.kind.value, first.on) == (kind, on), first


def test_what_is_denied_is_not_proposed() -> None:
    assert [one.kind for one in propose("", "The invoice has not been paid.", TODAY)] == [Kind.OTHER]
    assert [one.kind for one in propose("", "There is no dispute.", TODAY)] == [Kind.OTHER]
    assert [one.kind for one in propose("", "我们尚未付款。没有异议。", TODAY)] == [Kind.OTHER]


def test_several_situations_in_one_mail_are_several_proposals() -> None:
    text = "We dispute F-1, the price is wrong. F-2 we will pay on 20 March."
    found = {one.kind: one for one in propose("", text, TODAY)}
    assert found.keys() == {Kind.DISPUTE, Kind.PROMISE}
    assert found[Kind.PROMISE].on == date(2026, 3, 20)
    assert found[Kind.DISPUTE].category == "dispute" and found[Kind.DISPUTE].because == "dispute"
    assert mentioned(text, ["F-1", "F-2", "F-12"]) == ["F-1", "F-2"]


def test_the_subject_we_wrote_ourselves_proposes_nothing() -> None:
    assert propose("Re: payment will be due", "Understood.", TODAY)[0].kind is Kind.OTHER


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on 31/02", None),
        ("nothing", None),
        ("am 1.12.", date(2025, 12, 1)),
        ("am 1.9.", date(2026, 9, 1)),
        ("15/02", date(2026, 2, 15)),
        ("15/08/27", date(2027, 8, 15)),
        ("2026-04-01 or 02/04", date(2026, 4, 1)),
        ("march 9th", date(2026, 3, 9)),
        ("mercredi", date(2026, 3, 11)),
        ("invoice 1200/2026-7", None),
    ],
)
def test_days_are_read_as_people_write_them(text: str, expected: date | None) -> None:
    assert first_date(text, TODAY) == expected


REPLY = """\
From: =?utf-8?q?Ren=C3=A9e?= <Renee@Example.com>
To: Claims <claims+0190c0ffee0a7b0c8d0e0f1a2b3c4d5e@example.net>
Subject: Re: Reminder
Message-ID: <their-1@example.com>
In-Reply-To: <ours-2@example.net>
References: <ours-1@example.net> <ours-2@example.net>
Content-Type: text/plain; charset=utf-8

Nous paierons le 12 mars.

Le mer. 4 mars 2026 à 10:00, Claims <claims@example.net> a écrit :
> We dispute nothing
"""


@pytest.mark.feature("F103")
def test_a_reply_is_taken_apart_without_what_it_quotes() -> None:
    heard = read(REPLY.encode())
    assert (heard.sender_email, heard.sender_name) == ("renee@example.com", "Renée")
    assert heard.text == "Nous paierons le 12 mars."
    assert heard.answers_to == ("<ours-2@example.net>", "<ours-1@example.net>")
    assert [one.hex for one in heard.plus_ids] == ["0190c0ffee0a7b0c8d0e0f1a2b3c4d5e"]
    assert not heard.automatic and heard.bounces == ()


def test_an_html_answer_is_read_as_text_and_nothing_in_it_runs() -> None:
    raw = (
        "From: a@example.com\nContent-Type: text/html\n\n"
        "<p>We will pay<br>on 15 March &amp; that is all</p><script>alert(1)</script>"
    )
    assert read(raw.encode()).text == "We will pay\non 15 March & that is all"


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe", b"From: \n\nx", b"Subject: only\n\nx"])
def test_what_nobody_wrote_is_no_mail(junk: bytes) -> None:
    with pytest.raises(ValueError, match="no sender"):
        read(junk)
