"""UBL 2.1 invoices and credit notes."""

from lxml.etree import _Element as Element

from services.ledger.domain.einvoice.invoice import EInvoice, Numbered, Party
from services.ledger.domain.einvoice.nodes import Names, named, numbered, text, texts

_NS = Names(
    {
        "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
        "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    }
)
ROOTS = {
    "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice": False,
    "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote": True,
}
_TOTALS = "cac:LegalMonetaryTotal/cbc:"


def read(root: Element) -> EInvoice:
    """What a UBL document says."""
    is_credit_note = ROOTS[str(root.tag)]
    currency = text(root, "cbc:DocumentCurrencyCode", _NS)
    return EInvoice(
        number=text(root, "cbc:ID", _NS),
        type_code=text(root, "cbc:CreditNoteTypeCode" if is_credit_note else "cbc:InvoiceTypeCode", _NS),
        is_credit_note=is_credit_note,
        issued=_day(text(root, "cbc:IssueDate", _NS)),
        due=_day(text(root, "cbc:DueDate", _NS) or text(root, "cac:PaymentMeans/cbc:PaymentDueDate", _NS)),
        delivered=_day(text(root, "cac:Delivery/cbc:ActualDeliveryDate", _NS)),
        currency=currency,
        net=text(root, f"{_TOTALS}TaxExclusiveAmount", _NS),
        tax=_tax(root, currency),
        total=text(root, f"{_TOTALS}TaxInclusiveAmount", _NS),
        prepaid=text(root, f"{_TOTALS}PrepaidAmount", _NS),
        payable=text(root, f"{_TOTALS}PayableAmount", _NS),
        buyer_reference=text(root, "cbc:BuyerReference", _NS),
        purchase_order=text(root, "cac:OrderReference/cbc:ID", _NS),
        sales_order=text(root, "cac:OrderReference/cbc:SalesOrderID", _NS),
        corrects=texts(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID", _NS),
        seller=_party(root, "cac:AccountingSupplierParty/cac:Party"),
        buyer=_party(root, "cac:AccountingCustomerParty/cac:Party"),
    )


def _party(root: Element, path: str) -> Party:
    party = named(root, path, _NS)
    legal = numbered(party, "cac:PartyLegalEntity/cbc:CompanyID", _NS)
    where = "cac:PostalAddress/cbc:"
    return Party(
        name=text(party, "cac:PartyLegalEntity/cbc:RegistrationName", _NS)
        or text(party, "cac:PartyName/cbc:Name", _NS),
        identifiers=numbered(party, "cac:PartyIdentification/cbc:ID", _NS),
        legal_id=legal[0] if legal else None,
        vat_number=_vat(party),
        endpoint=_endpoint(party),
        country=text(party, "cac:PostalAddress/cac:Country/cbc:IdentificationCode", _NS),
        address={
            name: value
            for name, path in (("street", "StreetName"), ("postal_code", "PostalZone"), ("city", "CityName"))
            if (value := text(party, where + path, _NS))
        },
    )


def _vat(party: Element | None) -> str | None:
    for scheme in () if party is None else party.iterfind("cac:PartyTaxScheme", _NS.prefixes):
        if text(scheme, "cac:TaxScheme/cbc:ID", _NS) in ("VAT", None):
            return text(scheme, "cbc:CompanyID", _NS)
    return None


def _endpoint(party: Element | None) -> str | None:
    found: tuple[Numbered, ...] = numbered(party, "cbc:EndpointID", _NS)
    return found[0].value if found else None


def _tax(root: Element, currency: str | None) -> str | None:
    """The total in the document's currency: there may be another one in the currency of the tax (BT-111)."""
    for amount in root.iterfind("cac:TaxTotal/cbc:TaxAmount", _NS.prefixes):
        if amount.get("currencyID", currency) == currency and amount.text:
            return str(amount.text).strip()
    return None


def _day(given: str | None) -> str | None:
    """xsd:date may carry a time zone, which no invoice means."""
    return None if given is None else given[:10]
