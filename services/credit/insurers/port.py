"""The port every insurer is reached through: find a buyer, ask, look after what was asked, read all covers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal, Protocol

from services.credit.domain.insurance.vocabulary import Product, RequestType
from services.credit.insurers.told import ToldDecision

Support = Literal["yes", "no", "unknown"]


class InsurerError(Exception):
    """A call that brought nothing. `code` is stable; the text is for a person and holds no secret."""

    code = "insurer_error"

    def __init__(self, detail: str, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code


class NotAsked(InsurerError):
    """Surely nothing reached the insurer: asking again is harmless."""

    code = "insurer_unavailable"


class MayHaveWorked(InsurerError):
    """It was sent and no usable answer came: look before asking again."""

    code = "send_unknown"


class Rejected(InsurerError):
    """The insurer refuses the request as such (not the cover): wrong amount, unknown policy, an open request."""

    code = "rejected_by_insurer"


@dataclass(frozen=True, slots=True)
class AmountRule:
    """What an insurer takes for a product; amounts in major units, `currency` None: the policy's."""

    step: Decimal = Decimal(1)
    least: Decimal = Decimal(1)
    most: Decimal | None = None
    currency: str | None = None
    needs_dates: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an insurer can do through us; `unknown` names what no public document says."""

    products: dict[Product, AmountRule]
    search: Support = "yes"
    submit: Support = "yes"
    cancel: Support = "unknown"
    find_request: Support = "yes"
    read_covers: Support = "yes"
    grades: Support = "unknown"
    overdues: Support = "unknown"
    webhook_modes: tuple[str, ...] = ("none",)
    search_by: tuple[str, ...] = ("registration_number", "name")
    grade_scale: str | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuyerQuery:
    """What a buyer is looked for by."""

    name: str
    country: str | None
    registration_number: str | None
    vat_number: str | None = None
    lei: str | None = None
    town: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A buyer the insurer knows. `score` 0 to 100 where it gives one."""

    insurer_buyer_id: str
    name: str
    address: str | None = None
    registration_number: str | None = None
    score: Decimal | None = None
    match_kind: str = "name"


@dataclass(frozen=True, slots=True)
class Policy:
    """The contract a call is made under."""

    number: str
    currency: str
    extension_code: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A request as it is sent. `reference` is ours, and the insurer's own memory of it where it keeps one."""

    reference: str
    policy: Policy
    insurer_buyer_id: str
    product: Product
    request_type: RequestType
    amount: Decimal
    currency: str
    temporary_amount: Decimal | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    urgent: bool = False
    comment: str | None = None
    cover_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the insurer said on receipt: its references, and the decisions it took at once."""

    reference: str | None = None
    job_reference: str | None = None
    decisions: Sequence[ToldDecision] = ()


@dataclass(frozen=True, slots=True)
class Grade:
    """The insurer's own grade of a buyer."""

    insurer_buyer_id: str
    grade: str
    scale: str
    graded_on: date | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything a policy holds at the insurer, as read on a day. `raw` is kept as evidence."""

    decisions: Sequence[ToldDecision]
    grades: Sequence[Grade] = ()
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A declaration of what is overdue."""

    reference: str
    kind: Literal["OVD", "EXP", "RES"]
    policy: Policy
    insurer_buyer_id: str
    buyer_name: str
    amount: Decimal
    currency: str
    due_date: date
    invoice_numbers: Sequence[str] = ()
    extended_to: date | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """How a connection reaches its insurer. `profile` holds codes and field maps; `credentials` are opened for the call only."""

    base_url: str
    credentials: dict[str, str] = field(repr=False)
    profile: dict[str, Any] = field(default_factory=dict)


class Insurer(Protocol):
    """One insurer. Every method may raise InsurerError; `submit` raises MayHaveWorked when nobody can tell."""

    async def search(self, policy: Policy, query: BuyerQuery) -> list[Candidate]:
        """Buyers that may be the one looked for."""
        ...

    async def submit(self, submission: Submission) -> Receipt:
        """Ask, once."""
        ...

    async def find_request(self, submission: Submission) -> Receipt | None:
        """What the insurer holds of a request we may have sent; None when it surely holds nothing."""
        ...

    async def cancel(self, submission: Submission, insurer_reference: str | None) -> None:
        """Take an open request back."""
        ...

    async def read_covers(self, policy: Policy) -> Reading:
        """All covers of the policy, also those asked in the insurer's own portal."""
        ...

    async def declare_overdue(self, overdue: Overdue) -> str | None:
        """Declare; the insurer's reference."""
        ...
