"""The risk report's filters, as they come by query or as criteria."""

from typing import Any

from libs.contracts.money import MoneyError, to_minor
from libs.kit.problems import invalid
from services.risk.storage.report import Filters


def filters_of(currency: str, *, pointer: str = "/criteria/min_outstanding", **given: Any) -> Filters:
    """Filters from plain members; `min_outstanding` in the reporting currency. Raises 422."""
    amount = given.pop("min_outstanding", None)
    if amount is None:
        return Filters(**given)
    try:
        return Filters(**given, min_outstanding=to_minor(amount, currency))
    except MoneyError as error:
        raise invalid(pointer, error.code, error.detail) from None
