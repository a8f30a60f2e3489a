"""From the bytes of a document to what it says: XML, or a PDF that carries XML.

No document type declaration is read: entities could grow without bound or name files. Whatever cannot be read is refused as a
file, with what was expected.
"""

import io
from typing import Any

import pypdf
from lxml import etree

from services.ledger.domain.einvoice import cii, ubl
from services.ledger.domain.einvoice.invoice import EInvoice
from services.ledger.domain.intake.errors import ImportFailed

XML = "application/xml"
XML_TOO = "text/xml"
PDF = "application/pdf"
#: Names that Factur-X, ZUGFeRD and XRechnung give to the invoice inside a PDF.
_ATTACHMENTS = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
_MOST_BYTES = 20 * 1024**2


def read_document(body: bytes, media_type: str) -> EInvoice:
    """What an invoice or credit note says. Raises ImportFailed."""
    return read_xml(_attached(body) if media_type == PDF else body)


def read_xml(body: bytes) -> EInvoice:
    """What a UBL or CII document says. Raises ImportFailed `xml_invalid`, `doctype_refused`, `document_not_invoice`."""
    if b"<!DOCTYPE" in body or b"<\0!\0D\0" in body or b"\0<\0!\0D" in body:
        raise ImportFailed("doctype_refused", "expected XML without a document type declaration")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ImportFailed("xml_invalid", "expected well-formed XML") from error
    if root is None:
        raise ImportFailed("xml_invalid", "expected well-formed XML")
    declared: Any = root.getroottree().docinfo
    if declared.doctype:
        raise ImportFailed("doctype_refused", "expected XML without a document type declaration")
    if root.tag in ubl.ROOTS:
        return ubl.read(root)
    if root.tag in cii.ROOTS:
        return cii.read(root)
    detail = "expected an Invoice or CreditNote of UBL 2.1, or a CrossIndustryInvoice of CII D16B"
    raise ImportFailed("document_not_invoice", detail)


def _attached(body: bytes) -> bytes:
    try:
        found = pypdf.PdfReader(io.BytesIO(body)).attachments
        for name, contents in found.items():
            if name.lower() in _ATTACHMENTS and contents:
                xml = contents[0]
                break
        else:
            detail = f"expected a PDF that carries its invoice as {', '.join(_ATTACHMENTS)}"
            raise ImportFailed("invoice_not_attached", detail)
    except ImportFailed:
        raise
    except Exception as error:  # whatever a malformed file makes of the reader
        raise ImportFailed("pdf_invalid", "expected a PDF that can be read") from error
    if len(xml) > _MOST_BYTES:
        raise ImportFailed("attachment_too_large", f"expected up to {_MOST_BYTES} bytes of XML in the PDF")
    return bytes(xml)
