"""What the ledger refuses, each with a stable code that callers may build on.

Two families, because they are answered differently: `InvalidRequest` is wrong whatever the state of the
ledger (HTTP 422), `StateConflict` is right in itself but not now (HTTP 409).
"""


class LedgerError(ValueError):
    """A rule of the ledger was broken. `code` is stable, `detail` says in words what was expected."""

    code: str = "ledger_error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequest(LedgerError):
    """The request is wrong in itself."""

    code = "invalid"


class StateConflict(LedgerError):
    """The request meets a state that forbids it."""

    code = "invalid_state"
