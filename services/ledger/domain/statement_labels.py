"""The words of a printed statement, by language; English stands in for a language that has none yet."""

from collections.abc import Mapping

_NAMES = (
    "title as_of page customer number reference issued due late amount open balance outstanding not_due overdue credits"
    " nothing invoice credit_note payment other"
).split()  # fmt: skip

_WORDS: Mapping[str, str] = {
    "en": "Statement of account|As of|Page|Customer|Number|Reference|Issued|Due|Days late|Amount|Open|Balance|Outstanding|Not due"
    "|Overdue|Credits|Nothing is open.|Invoice|Credit note|Payment|Other",
    "fr": "Relevé de compte|Arrêté au|Page|Client|Numéro|Référence|Émise le|Échéance|Jours de retard|Montant|Restant dû|Solde"
    "|Encours|Non échu|Échu|Avoirs et acomptes|Aucune pièce ouverte.|Facture|Avoir|Paiement|Autre",
    "de": "Kontoauszug|Stand|Seite|Kunde|Nummer|Referenz|Datum|Fällig|Tage Verzug|Betrag|Offen|Saldo|Offener Betrag|Nicht fällig"
    "|Überfällig|Gutschriften|Keine offenen Posten.|Rechnung|Gutschrift|Zahlung|Sonstiges",
    "es": "Extracto de cuenta|A fecha de|Página|Cliente|Número|Referencia|Emisión|Vencimiento|Días de retraso|Importe|Pendiente"
    "|Saldo|Total pendiente|No vencido|Vencido|Abonos|No hay partidas pendientes.|Factura|Abono|Pago|Otro",
    "it": "Estratto conto|Al|Pagina|Cliente|Numero|Riferimento|Emissione|Scadenza|Giorni di ritardo|Importo|Aperto|Saldo"
    "|Totale aperto|A scadere|Scaduto|Crediti|Nessuna partita aperta.|Fattura|Nota di credito|Pagamento|Altro",
    "nl": "Rekeningoverzicht|Per|Pagina|Klant|Nummer|Referentie|Datum|Vervaldatum|Dagen te laat|Bedrag|Openstaand|Saldo"
    "|Totaal openstaand|Niet vervallen|Vervallen|Tegoeden|Er staat niets open.|Factuur|Creditnota|Betaling|Overig",
}  # fmt: skip
_TABLE = {language: dict(zip(_NAMES, words.split("|"), strict=True)) for language, words in _WORDS.items()}


def labels(language: str) -> tuple[str, Mapping[str, str]]:
    """The words of a language, or of its base ("fr" for fr-CA), and the language they are in."""
    for tag in (language, language.partition("-")[0]):
        if tag in _TABLE:
            return tag, _TABLE[tag]
    return "en", _TABLE["en"]
