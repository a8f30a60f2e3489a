"""Which column of a source's file is which of our fields: saved once per source, used for every file after."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from services.ledger.domain.intake.dialects import convert

Target = Annotated[str, Meta(min_length=1, max_length=100)]
#: In `values`: stands for every other text. Mapped to null, other texts mean "no value".
ANY = "*"


class Column(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What becomes of a column: the field or fields it fills, and how its text is mended first.

    `strip_decimal_zero` undoes what a spreadsheet does to numbers ("1930571429.0" → "1930571429"), then
    `strip_leading_zeros` ("0000611365" → "611365"), then `values` gives our word for theirs ("FAC" → "invoice"); a text
    that is not in it is a fault, unless "*" is.
    """

    to: Target | list[Target]
    values: dict[str, str | None] | None = None
    strip_decimal_zero: bool = False
    strip_leading_zeros: bool = False

    @property
    def targets(self) -> list[str]:
        return [self.to] if isinstance(self.to, str) else self.to


class Mapping(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """`columns` by the name in the header (without a header: "1", "2", …); with none, the header names our fields.
    `constants` fill a field the file does not fill. `ignore` lists columns without meaning for us, or "*" for all that
    are not mapped; any other unknown column fails the file. `only` keeps the rows whose column has one of the texts.

    `negative_amounts`: "refuse" them, or read a negative invoice as a "credit_note". `open_amounts`: "signed" as in our
    own contract, or "unsigned" where the file gives magnitudes. Besides the fields of a row a column may fill
    `custom_fields.NAME`, and for items `payment_terms` ("Net 30": gives the due date where none is) and
    `settled_amount` (gives the open amount), for customers `payment_terms`, `company.*`, `address.*`, `contact.*`.
    """

    columns: dict[str, str | Column] = {}
    constants: dict[str, Any] = {}
    ignore: list[str] = []
    only: dict[str, list[str]] = {}
    negative_amounts: Literal["refuse", "credit_note"] = "refuse"
    open_amounts: Literal["signed", "unsigned"] = "signed"


def read_mapping(value: Any) -> Mapping:
    """A mapping from its JSON object. Raises DialectInvalid."""
    return convert(value, Mapping)
