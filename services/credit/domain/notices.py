"""The words of the e-mails about limit requests, in English and French; other languages read English."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["to_decide", "approved", "rejected", "cancelled", "expired"]


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What a notice tells. `amount` is written out with its currency; `link` is None where no front end is known."""

    recipient: str
    company: str
    amount: str
    unsecured: str
    requester: str
    reason: str | None
    decided_by: str | None
    comment: str | None
    link: str | None


@dataclass(frozen=True, slots=True)
class _Words:
    greeting: str
    subjects: dict[Kind, str]
    bodies: dict[Kind, str]
    unsecured: str
    reason: str
    comment: str
    link: str
    nobody: str


_EN: Final = _Words(
    greeting="Hello {recipient},",
    subjects={
        "to_decide": "Credit limit to decide: {company}, {amount}",
        "approved": "Credit limit approved: {company}, {amount}",
        "rejected": "Credit limit rejected: {company}, {amount}",
        "cancelled": "Credit limit request taken back: {company}, {amount}",
        "expired": "Credit limit request expired: {company}, {amount}",
    },
    bodies={
        "to_decide": "{requester} asks for a credit limit of {amount} for {company}. Your decision is awaited.",
        "approved": "Your request for a credit limit of {amount} for {company} was approved by {decided_by}.",
        "rejected": "Your request for a credit limit of {amount} for {company} was rejected by {decided_by}.",
        "cancelled": "The request for a credit limit of {amount} for {company} was taken back.",
        "expired": "Nobody decided in time on your request for a credit limit of {amount} for {company}: it has expired.",
    },
    unsecured="Part without a guarantee: {unsecured}.",
    reason="Reason given: {reason}",
    comment="Comment: {comment}",
    link="Open the request: {link}",
    nobody="the approval policy",
)
_FR: Final = _Words(
    greeting="Bonjour {recipient},",
    subjects={
        "to_decide": "Limite de crédit à valider : {company}, {amount}",
        "approved": "Limite de crédit validée : {company}, {amount}",
        "rejected": "Limite de crédit refusée : {company}, {amount}",
        "cancelled": "Demande de limite de crédit retirée : {company}, {amount}",
        "expired": "Demande de limite de crédit expirée : {company}, {amount}",
    },
    bodies={
        "to_decide": "{requester} demande une limite de crédit de {amount} pour {company}. Votre décision est attendue.",
        "approved": "Votre demande de limite de crédit de {amount} pour {company} a été validée par {decided_by}.",
        "rejected": "Votre demande de limite de crédit de {amount} pour {company} a été refusée par {decided_by}.",
        "cancelled": "La demande de limite de crédit de {amount} pour {company} a été retirée.",
        "expired": "Personne n'a décidé à temps de votre demande de limite de crédit de {amount} pour {company} : elle a expiré.",
    },
    unsecured="Part sans garantie : {unsecured}.",
    reason="Motif indiqué : {reason}",
    comment="Commentaire : {comment}",
    link="Ouvrir la demande : {link}",
    nobody="la politique d'approbation",
)
_LANGUAGES: Final = {"en": _EN, "fr": _FR}


def language_of(*preferred: str | None) -> str:
    """The first of some language tags that there are words in, else English."""
    return next((tag[:2] for tag in preferred if tag and tag[:2] in _LANGUAGES), "en")


def write_notice(kind: Kind, facts: NoticeFacts, language: str) -> tuple[str, str]:
    """Subject (one line) and text of a notice."""
    words = _LANGUAGES[language]
    told = {
        name: "" if value is None else " ".join(value.split())
        for name, value in ((name, getattr(facts, name)) for name in NoticeFacts.__slots__)
    }
    told["decided_by"] = told["decided_by"] or words.nobody
    lines = [words.greeting, "", words.bodies[kind]]
    if kind == "to_decide":
        lines.append(words.unsecured)
    if facts.reason:
        lines.append(words.reason)
    if facts.comment:
        lines.append(words.comment)
    if facts.link:
        lines += ["", words.link]
    return words.subjects[kind].format_map(told), "\n".join(line.format_map(told) for line in lines) + "\n"
