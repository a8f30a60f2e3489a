"""Cross Industry Invoices (UN/CEFACT D16B), which is also what Factur-X and ZUGFeRD 2 put into a PDF."""

from lxml.etree import _Element as Element

from services.ledger.domain.einvoice.invoice import EInvoice, Party
from services.ledger.domain.einvoice.nodes import Names, named, numbered, text, texts

_NS = Names(
    {
        "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
        "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
        "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
        "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    }
)
ROOTS = ("{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice",)
_TRADE = "rsm:SupplyChainTradeTransaction/ram:"
_AGREED = f"{_TRADE}ApplicableHeaderTradeAgreement/ram:"
_DELIVERED = f"{_TRADE}ApplicableHeaderTradeDelivery/ram:"
_SETTLED = f"{_TRADE}ApplicableHeaderTradeSettlement/ram:"
_TOTALS = f"{_SETTLED}SpecifiedTradeSettlementHeaderMonetarySummation/ram:"
_DAY = "/udt:DateTimeString"


def read(root: Element) -> EInvoice:
    """What a CII document says."""
    currency = text(root, f"{_SETTLED}InvoiceCurrencyCode", _NS)
    return EInvoice(
        number=text(root, "rsm:ExchangedDocument/ram:ID", _NS),
        type_code=text(root, "rsm:ExchangedDocument/ram:TypeCode", _NS),
        is_credit_note=False,
        issued=_day(text(root, f"rsm:ExchangedDocument/ram:IssueDateTime{_DAY}", _NS)),
        due=_day(text(root, f"{_SETTLED}SpecifiedTradePaymentTerms/ram:DueDateDateTime{_DAY}", _NS)),
        delivered=_day(
            text(root, f"{_DELIVERED}ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime{_DAY}", _NS)
        ),
        currency=currency,
        net=text(root, f"{_TOTALS}TaxBasisTotalAmount", _NS),
        tax=_tax(root, currency),
        total=text(root, f"{_TOTALS}GrandTotalAmount", _NS),
        prepaid=text(root, f"{_TOTALS}TotalPrepaidAmount", _NS),
        payable=text(root, f"{_TOTALS}DuePayableAmount", _NS),
        buyer_reference=text(root, f"{_AGREED}BuyerReference", _NS),
        purchase_order=text(root, f"{_AGREED}BuyerOrderReferencedDocument/ram:IssuerAssignedID", _NS),
        sales_order=text(root, f"{_AGREED}SellerOrderReferencedDocument/ram:IssuerAssignedID", _NS),
        corrects=texts(root, f"{_SETTLED}InvoiceReferencedDocument/ram:IssuerAssignedID", _NS),
        seller=_party(root, f"{_AGREED}SellerTradeParty"),
        buyer=_party(root, f"{_AGREED}BuyerTradeParty"),
    )


def _party(root: Element, path: str) -> Party:
    party = named(root, path, _NS)
    legal = numbered(party, "ram:SpecifiedLegalOrganization/ram:ID", _NS)
    endpoint = numbered(party, "ram:URIUniversalCommunication/ram:URIID", _NS)
    where = "ram:PostalTradeAddress/ram:"
    return Party(
        name=text(party, "ram:Name", _NS),
        identifiers=numbered(party, "ram:ID", _NS) + numbered(party, "ram:GlobalID", _NS),
        legal_id=legal[0] if legal else None,
        vat_number=_vat(party),
        endpoint=endpoint[0].value if endpoint else None,
        country=text(party, f"{where}CountryID", _NS),
        address={
            name: value
            for name, path in (("street", "LineOne"), ("postal_code", "PostcodeCode"), ("city", "CityName"))
            if (value := text(party, where + path, _NS))
        },
    )


def _vat(party: Element | None) -> str | None:
    for number in numbered(party, "ram:SpecifiedTaxRegistration/ram:ID", _NS):
        if number.scheme in ("VA", None):
            return number.value
    return None


def _tax(root: Element, currency: str | None) -> str | None:
    """The total in the document's currency: there may be another one in the currency of the tax (BT-111)."""
    for amount in root.iterfind(f"{_TOTALS}TaxTotalAmount", _NS.prefixes):
        if amount.get("currencyID", currency) == currency and amount.text:
            return str(amount.text).strip()
    return None


def _day(given: str | None) -> str | None:
    """Format 102, YYYYMMDD, as an ISO date; whatever else is left for the row's own check to name."""
    if given is not None and len(given) == 8 and given.isdigit():
        return f"{given[:4]}-{given[4:6]}-{given[6:]}"
    return given
