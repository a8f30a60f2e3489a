"""What the rules of the ledger refuse, as the problem it is answered with."""

from collections.abc import Iterator
from contextlib import contextmanager

from libs.kit.problems import FieldError, Problem
from services.ledger.domain.errors import LedgerError, StateConflict


@contextmanager
def refused_at(pointer: str = "") -> Iterator[None]:
    """Raise a rule's refusal as a Problem: 409 with its code where the state forbids it, 422 naming `pointer` where the
    request is wrong in itself."""
    try:
        yield
    except LedgerError as error:
        raise problem_of(error, pointer) from error


def problem_of(error: LedgerError, pointer: str = "") -> Problem:
    """The Problem of one refusal."""
    detail = f"{error.detail[:1].upper()}{error.detail[1:]}."
    if isinstance(error, StateConflict):
        return Problem(409, error.code, detail)
    return Problem(422, error.code, detail, errors=[FieldError(pointer, error.code, error.detail)])
