"""Statuses: five fixed categories, a tenant's own labels inside them, and what a status sets off."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from services.dunning.domain.scenario import Channel, Mode

__all__ = ["LANGUAGES", "NATIVE_LABELS", "Category", "Status", "follow_up_on"]

LANGUAGES = ("pt-BR", "zh-CN", "hr", "de", "nl", "en", "es", "fr", "it", "ja", "pl", "pt", "ro", "sv", "tr")


class Category(StrEnum):
    ONGOING = "ongoing"
    PROMISE = "promise"
    DISPUTE = "dispute"
    DISPUTE_RESOLVED = "dispute_resolved"
    LITIGATION = "litigation"


@dataclass(frozen=True, slots=True)
class Status:
    """A status as its tenant has set it. `default_days`: when to come back to an item without another date.

    With a template or a channel the status sets off an action on the follow-up date: one that does itself
    (`automatic`), one that waits for a person (`to_confirm`), or one that is only proposed (`manual`) and leaves the items
    in their scenario until somebody takes it up.
    """

    code: str
    category: Category
    default_days: int = 7
    mode: Mode = Mode.MANUAL
    action_template_id: UUID | None = None
    action_channel: Channel | None = None
    dispute_kind: str | None = None


def follow_up_on(status: Status, today: date, given: date | None, asked: date | None) -> date:
    """When to come back: the day that was asked for, else the day promised, else the status's own delay from today."""
    if asked is not None:
        return asked
    if status.category is Category.PROMISE and given is not None:
        return given
    return today + timedelta(days=status.default_days)


#: What a new tenant starts with: one status a category, named after it.
NATIVE_LABELS: dict[Category, dict[str, str]] = {
    Category.ONGOING: dict(
        zip(
            LANGUAGES,
            (
                "Em andamento", "处理中", "U obradi", "In Bearbeitung", "In behandeling", "In progress", "En curso",
                "En cours", "In corso", "対応中", "W toku", "Em curso", "În curs", "Pågår", "Devam ediyor",
            ),
            strict=True,
        )
    ),
    Category.PROMISE: dict(
        zip(
            LANGUAGES,
            (
                "Promessa de pagamento", "付款承诺", "Obećanje plaćanja", "Zahlungszusage", "Betalingsbelofte",
                "Promise to pay", "Promesa de pago", "Promesse de règlement", "Promessa di pagamento", "支払約束",
                "Obietnica zapłaty", "Compromisso de pagamento", "Promisiune de plată", "Betalningslöfte", "Ödeme sözü",
            ),
            strict=True,
        )
    ),
    Category.DISPUTE: dict(
        zip(
            LANGUAGES,
            (
                "Contestação", "争议", "Prigovor", "Reklamation", "Betwisting", "Dispute", "Disputa", "Litige",
                "Contestazione", "係争中", "Spór", "Reclamação", "Contestație", "Tvist", "İtiraz",
            ),
            strict=True,
        )
    ),
    Category.DISPUTE_RESOLVED: dict(
        zip(
            LANGUAGES,
            (
                "Contestação resolvida", "争议已解决", "Prigovor riješen", "Reklamation geklärt", "Betwisting opgelost",
                "Dispute resolved", "Disputa resuelta", "Litige résolu", "Contestazione risolta", "係争解決済み",
                "Spór rozwiązany", "Reclamação resolvida", "Contestație soluționată", "Tvist löst", "İtiraz çözüldü",
            ),
            strict=True,
        )
    ),
    Category.LITIGATION: dict(
        zip(
            LANGUAGES,
            (
                "Cobrança judicial", "诉讼", "Sudski postupak", "Gerichtliches Verfahren", "Gerechtelijke procedure",
                "Litigation", "Vía judicial", "Contentieux", "Contenzioso", "訴訟", "Postępowanie sądowe", "Contencioso",
                "Litigiu în instanță", "Rättslig process", "Hukuki takip",
            ),
            strict=True,
        )
    ),
}  # fmt: skip
