"""The words of credit insurance: products, layers, statuses of decisions. Built on UN/EDIFACT 4505, 4507 and 4509."""

from typing import Literal, get_args

Product = Literal[
    "permanent", "temporary", "permanent_plus_temporary", "credit_check", "grade_cover", "topup", "topup_plus",
    "preliminary", "dcl", "non_named",
]  # fmt: skip
Layer = Literal["permanent", "temporary", "topup", "topup_plus", "dcl", "non_named"]
RequestType = Literal[
    "new", "increase", "reduction", "prolongation", "cancellation", "preliminary", "supersede"
]
RequestState = Literal[
    "draft", "validated", "sending", "sent", "send_unknown", "pending", "decided", "failed", "cancelled"
]
Status = Literal[
    "approved", "approved_with_conditions", "partially_approved", "refused", "pending", "increase_refused_cover_unchanged",
    "reduced", "withdrawal_announced", "withdrawn", "cancelled", "expired", "superseded", "reissued", "revised_terms",
    "needs_review",
]  # fmt: skip
TrancheKind = Literal["permanent", "temporary", "second"]

PRODUCTS: tuple[Product, ...] = get_args(Product)
LAYERS: tuple[Layer, ...] = get_args(Layer)
STATUSES: frozenset[str] = frozenset(get_args(Status))
#: Set by the insured's own people within the policy, never asked of the insurer.
OWN_LAYERS: frozenset[Layer] = frozenset({"dcl", "non_named"})
#: A request in one of these blocks another one for the same policy, buyer and product.
OPEN_STATES: tuple[RequestState, ...] = ("draft", "validated", "sending", "sent", "send_unknown", "pending")
#: Statuses that give an amount.
GRANTS: frozenset[str] = frozenset(
    {"approved", "approved_with_conditions", "partially_approved", "reduced", "reissued", "revised_terms"}
)
#: Statuses that leave nothing.
ENDS: frozenset[str] = frozenset({"refused", "withdrawn", "cancelled", "expired"})
#: Statuses that answer a request.
ANSWERS: frozenset[str] = GRANTS | ENDS | {"increase_refused_cover_unchanged"}
#: Statuses worth an insistence: less than was asked, or less than there was.
NEGATIVE: frozenset[str] = frozenset(
    {
        "refused", "partially_approved", "reduced", "withdrawn", "withdrawal_announced", "cancelled",
        "increase_refused_cover_unchanged",
    }
)  # fmt: skip

_LAYER_OF: dict[Product, Layer | None] = {
    "permanent": "permanent",
    "permanent_plus_temporary": "permanent",
    "credit_check": "permanent",
    "grade_cover": "permanent",
    "temporary": "temporary",
    "topup": "topup",
    "topup_plus": "topup_plus",
    "dcl": "dcl",
    "non_named": "non_named",
    "preliminary": None,  # an opinion, not a cover
}
#: Other words for the same, as insurers' middleware writes them.
_ALIASES: dict[str, Status] = {
    "granted": "approved",
    "accepted": "approved",
    "granted_partial": "partially_approved",
    "partially_granted": "partially_approved",
    "partial": "partially_approved",
    "granted_with_conditions": "approved_with_conditions",
    "conditional": "approved_with_conditions",
    "temporary_granted": "approved",
    "topup_granted": "approved",
    "temporary_expired": "expired",
    "declined": "refused",
    "rejected": "refused",
    "pending_info": "pending",
}


def layer_of(product: Product) -> Layer | None:
    """The layer a product's decisions act on; None for one that gives no cover."""
    return _LAYER_OF[product]


def status_of(word: str) -> Status:
    """The status behind an insurer's word. One we do not know is `needs_review`, never a grant and never a refusal."""
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    if plain in STATUSES:
        return plain  # type: ignore[return-value]
    return _ALIASES.get(plain, "needs_review")
