"""Control totals: what the sender says the file holds, against what was received."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from libs.contracts.currencies import currency_codes
from libs.kit import strict_json
from services.ledger.domain.intake.errors import ImportFailed
from services.ledger.domain.intake.received import Received

_FIGURE = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,10})?\Z")


@dataclass(frozen=True, slots=True)
class Control:
    """A number of rows and signed sums by currency in major units; a sum under None is of the only currency there is."""

    count: int | None = None
    sums: Mapping[str | None, Decimal] = field(default_factory=dict)


def control_of(count: object, sums: object) -> Control:
    """Control totals as they are sent: a whole number, and either one amount or an object of amounts by currency; from a
    query string, `1234.50` or `EUR:1234.50,USD:-7.00`. Raises ImportFailed `control_invalid`."""
    return Control(_count(count), _sums(sums))


def control_in_file(token: bytes | None) -> Control | None:
    """The `control` member of a JSON document. Raises ImportFailed `control_invalid`."""
    if token is None:
        return None
    try:
        value = strict_json.loads(token)
    except strict_json.JsonRefused as refusal:
        raise ImportFailed("control_invalid", refusal.detail) from None
    if not isinstance(value, dict) or not value.keys() <= {"count", "sum"}:
        raise ImportFailed("control_invalid", 'expected an object with "count" and "sum"')
    return control_of(value.get("count"), value.get("sum"))


def check_totals(control: Control, received: Received, *, has_amounts: bool = True) -> None:
    """Raise ImportFailed `control_count_mismatch` or `control_sum_mismatch` unless exactly this was received."""
    if control.count is not None and control.count != received.rows:
        raise ImportFailed(
            "control_count_mismatch", f"expected {control.count} rows, received {received.rows}"
        )
    if not control.sums:
        return
    if not has_amounts:
        raise ImportFailed("control_invalid", "rows of this kind have no amounts to sum")
    actual = received.sums()
    expected = _named(control.sums, actual)
    for currency in sorted(expected.keys() | actual.keys()):
        wanted, found = expected.get(currency, Decimal(0)), actual.get(currency, Decimal(0))
        if wanted != found:
            raise _mismatch(currency, wanted, found, received.unread)


def _named(sums: Mapping[str | None, Decimal], actual: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The stated sums with the currency they are in."""
    if None not in sums:
        return {currency: amount for currency, amount in sums.items() if currency is not None}
    if len(actual) > 1:
        raise ImportFailed("control_invalid", "expected a sum for each currency: the rows have several")
    return {next(iter(actual), ""): sums[None]}


def _mismatch(currency: str, wanted: Decimal, found: Decimal, unread: int) -> ImportFailed:
    detail = f"expected a sum of {wanted:f}, received {found:f} {currency}".rstrip()
    if unread:
        detail += f"; {unread} refused rows state no readable amount"
    return ImportFailed("control_sum_mismatch", detail)


def _count(given: object) -> int | None:
    if given is None:
        return None
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given[:12])
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise ImportFailed("control_invalid", "expected a number of rows")
    return given


def _sums(given: object) -> dict[str | None, Decimal]:
    if given is None:
        return {}
    if isinstance(given, dict):
        return {_currency(name): _amount(amount) for name, amount in given.items()}
    if isinstance(given, str) and ":" in given:
        pairs = [part.strip().partition(":") for part in given.split(",")]
        return {_currency(name): _amount(amount) for name, _, amount in pairs}
    return {None: _amount(given)}


def _currency(name: str) -> str:
    if name not in currency_codes():
        raise ImportFailed("control_invalid", "expected ISO 4217 codes")
    return name


def _amount(given: object) -> Decimal:
    """Only the form is judged: the sum of many rows may be larger than any one amount."""
    if isinstance(given, str | int | Decimal) and not isinstance(given, bool):
        text = given if isinstance(given, str) else format(Decimal(given), "f")
        if _FIGURE.match(text):
            return Decimal(text)
    raise ImportFailed("control_invalid", 'expected a sum such as "1234.56"')
