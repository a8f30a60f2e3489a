"""How a CSV file is written: separators, figures, dates, encoding. Declared by whoever sends it, never guessed: 01/02 and
1,234 have two readings each, and a wrong guess is a wrong ledger."""

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

Character = Annotated[str, Meta(min_length=1, max_length=1)]
Setting = TypeVar("Setting", bound=Struct)
Encoding = Literal["utf-8", "utf-16", "iso-8859-1", "iso-8859-15", "cp1252", "cp1250", "cp850"]


Symbols = Annotated[list[Annotated[str, Meta(min_length=1, max_length=8)]], Meta(max_length=8)]
DateFormats = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=30)]], Meta(min_length=1, max_length=10)
]
NullWords = Annotated[list[Annotated[str, Meta(max_length=30)]], Meta(max_length=20)]


class DialectInvalid(ValueError):
    """A dialect or a mapping that cannot be used. `pointer` leads to the member, `detail` says what was expected."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}")
        self.pointer = pointer
        self.detail = detail


class Dialect(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """`date_formats` are tried in order, made of YYYY YY MM M DD D MMM (Jan, January), HH H mm ss and the characters
    between; M, D and H take one digit or two, YY is 1970..2069, a time of day is read over. `grouping` is what stands
    between thousands, if anything; a space stands for every kind of space. `symbols` are taken away around figures
    ($, EUR). Cells are trimmed; one of `null_words` (or nothing) means no value. `skip_lines` stand before the header.
    """

    separator: Character = ","
    quote: Character | None = '"'
    encoding: Encoding = "utf-8"
    decimal: Literal[".", ","] = "."
    grouping: Literal["", ",", ".", " ", "'"] = ""
    symbols: Symbols = []
    date_formats: DateFormats = msgspec.field(default_factory=lambda: ["YYYY-MM-DD"])
    null_words: NullWords = []
    header: bool = True
    skip_lines: Annotated[int, Meta(ge=0, le=100)] = 0

    def __post_init__(self) -> None:
        if self.separator in ("\n", "\r", '"', "\0") or self.separator == self.quote:
            raise ValueError("separator: expected one character that is neither a quote nor a line end")
        if self.quote is not None and self.quote in ("\n", "\r", "\0", " "):
            raise ValueError("quote: expected one character that is neither a space nor a line end")
        if self.grouping == self.decimal:
            raise ValueError("grouping: expected another character than the decimal mark")


def read_dialect(value: Any) -> Dialect:
    """A dialect from its JSON object. Raises DialectInvalid."""
    return convert(value, Dialect)


def convert(value: Any, into: type[Setting]) -> Setting:
    """A setting from its JSON value. Raises DialectInvalid."""
    try:
        return msgspec.convert(value, into)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at `$")
        raise DialectInvalid(
            path.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/"), detail
        ) from None
