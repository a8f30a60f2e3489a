"""What an electronic invoice says, whichever syntax it is in, and the item it becomes.

BT numbers are the business terms of EN 16931-1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from services.ledger.domain.company_identity import Identity, IdentityInvalid, normalise
from services.ledger.domain.intake.errors import ImportFailed

#: UNCL 1001 as EN 16931 allows it (BR-CL-01): what asks for money, and what gives it back.
_INVOICES = frozenset(
    "71 80 82 84 102 130 202 203 204 211 218 219 295 325 326 331 380 382 383 384 385 386 387 388 389 390 393 394 395 456 457 527"
    " 553 575 623 633 751 780 817 870 875 876 877 935".split()
)
_CREDIT_NOTES = frozenset("81 83 261 262 296 308 381 396 420 458 532".split())
#: ISO 6523 schemes of identifiers that are no registration number (GLN, DUNS), and the one of LEIs.
_NO_REGISTER = frozenset(("0060", "0088"))
_LEI = "0199"
_FRENCH = frozenset(("0002", "0009"))  # SIREN, SIRET
_LONGEST_WORD = 200


class Numbered(NamedTuple):
    """An identifier and the scheme it is of, if it says so."""

    value: str
    scheme: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A seller or buyer. `identifiers`: what the other side calls it (BT-29, BT-46)."""

    name: str | None
    identifiers: tuple[Numbered, ...]
    legal_id: Numbered | None
    vat_number: str | None
    endpoint: str | None
    country: str | None
    address: Mapping[str, str]

    @property
    def identity(self) -> Identity:
        """What the company is found by. An identifier that cannot be right says nothing: it would join strangers."""
        legal, register = self.legal_id, None
        country, lei = self.country, None
        if legal is not None and legal.scheme == _LEI:
            lei = legal.value
        elif legal is not None and legal.scheme not in _NO_REGISTER:
            register = legal.value
            country = "FR" if legal.scheme in _FRENCH else country
        return Identity(
            country=_sound(country=country).country,
            registration_number=_sound(country=country, registration_number=register).registration_number,
            vat_number=_sound(country=country, vat_number=self.vat_number).vat_number,
            lei=_sound(lei=lei).lei,
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """What a customer may be known by, the best first: our number of it, its registered numbers, its name."""
        identity = self.identity
        known = (
            *(each.value for each in self.identifiers),
            identity.registration_number,
            identity.vat_number,
            identity.lei,
            self.legal_id and self.legal_id.value,
            self.endpoint,
            self.name,
        )
        return tuple(dict.fromkeys(key[:128] for key in known if key))


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoice:
    """An invoice or credit note; amounts as they are written."""

    number: str | None  # BT-1
    type_code: str | None  # BT-3
    is_credit_note: bool  # by its root
    issued: str | None  # BT-2
    due: str | None  # BT-9
    delivered: str | None  # BT-72
    currency: str | None  # BT-5
    net: str | None  # BT-109
    tax: str | None  # BT-110
    total: str | None  # BT-112
    prepaid: str | None  # BT-113
    payable: str | None  # BT-115
    buyer_reference: str | None  # BT-10
    purchase_order: str | None  # BT-13
    sales_order: str | None  # BT-14
    corrects: tuple[str, ...]  # BT-25
    seller: Party
    buyer: Party


@dataclass(frozen=True, slots=True)
class _Charge:
    """What is charged and what of it was to be paid when the document was made, both signed: negative is owed to the buyer."""

    amount: Decimal
    left: Decimal


def item_row(invoice: EInvoice, *, first_seen: bool) -> dict[str, Any]:
    """The row of an import of items that the document is; the customer is not in it.

    What was paid before goes into `open_amount`, but only when the ledger sees the document for the first time: it is what was
    open when it was written, and later sendings of it know nothing of later payments. Raises ImportFailed for a type of
    document that is no invoice, or an amount that is no figure.
    """
    charge = _charge(invoice)
    credit = charge.amount < 0
    amount = abs(charge.amount)
    row: dict[str, Any] = {
        "external_id": invoice.number,
        "number": invoice.number and invoice.number[:_LONGEST_WORD],
        "kind": "credit_note" if credit else "invoice",
        "issue_date": invoice.issued,
        "due_date": invoice.due,
        "delivery_date": invoice.delivered,
        "currency": invoice.currency,
        "amount": f"{amount:f}",
        "tax_amount": _part(invoice.tax, "tax", amount),
        "net_amount": _part(invoice.net, "net", amount),
        "reference": _short(invoice.purchase_order or invoice.buyer_reference),
        "order_reference": _short(invoice.sales_order),
    }
    if first_seen and charge.left != charge.amount:
        row |= {"open_amount": f"{charge.left:f}", "settled_on": invoice.issued}
    if invoice.corrects:
        row["custom_fields"] = {"corrects": ", ".join(invoice.corrects)[:_LONGEST_WORD]}
    return {name: value for name, value in row.items() if value is not None}


def _charge(invoice: EInvoice) -> _Charge:
    """The sign comes from the kind of document, then from the amount: a negative invoice is a credit, as is a credit note; a
    negative credit note is a debit. Rounding (BT-114) counts as charged. Where more was paid before than is charged, or less
    than nothing, only what is payable is: the other documents account for the rest."""
    sign = -1 if _gives_back(invoice) else 1
    total, payable = _figure(invoice.total, "total"), _figure(invoice.payable, "payable amount")
    prepaid = _figure(invoice.prepaid, "prepaid amount") or Decimal(0)
    if payable is None:
        if total is None:
            raise ImportFailed("amount_missing", "expected a total with tax or a payable amount")
        payable = total - prepaid
    left, charged = sign * payable, sign * (payable + prepaid)
    if left and (charged * left <= 0 or abs(charged) < abs(left)):
        charged = left
    return _Charge(charged, left)


def _gives_back(invoice: EInvoice) -> bool:
    if invoice.is_credit_note or invoice.type_code in _CREDIT_NOTES:
        return True
    if invoice.type_code not in _INVOICES:
        detail = "expected the type code of an invoice or credit note (UNCL 1001, such as 380 or 381)"
        raise ImportFailed("document_type_unknown", detail)
    return False


def _figure(text: str | None, name: str) -> Decimal | None:
    if text is None:
        return None
    try:
        figure = Decimal(text)
    except InvalidOperation:
        figure = Decimal("NaN")
    if not figure.is_finite() or abs(figure.adjusted()) > 18:
        raise ImportFailed("amount_invalid", f"expected a figure such as 1234.56 as {name}")
    return figure


def _part(text: str | None, name: str, amount: Decimal) -> str | None:
    """A part of the amount, where it can be one."""
    part = _figure(text, name)
    return None if part is None or abs(part) > amount else f"{abs(part):f}"


def _short(text: str | None) -> str | None:
    return None if text is None else text[:_LONGEST_WORD]


def _sound(**claim: str | None) -> Identity:
    try:
        return normalise(**claim)
    except IdentityInvalid:
        return Identity()
