"""A published legal notice, and what it does to a company's legal status."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class LegalStatus(StrEnum):
    """Where a company stands. `ceased` is the end of a company, not an insolvency."""

    NONE = "none"
    CONCILIATION = "conciliation"
    SAFEGUARD = "safeguard"
    RECEIVERSHIP = "receivership"
    LIQUIDATION = "liquidation"
    CLOSED_INSOLVENCY = "closed_insolvency"
    CEASED = "ceased"
    OTHER_PROCEEDING = "other_proceeding"
    UNKNOWN = "unknown"


#: Statuses of a company under, or ended by, collective proceedings.
INSOLVENT = frozenset(
    (
        LegalStatus.SAFEGUARD,
        LegalStatus.RECEIVERSHIP,
        LegalStatus.LIQUIDATION,
        LegalStatus.CLOSED_INSOLVENCY,
        LegalStatus.OTHER_PROCEEDING,
    )
)


class Effect(StrEnum):
    """What a judgment does."""

    OPENS = "opens"
    CONVERTS = "converts"
    RESUMES = "resumes"
    """A liquidation that was closed is taken up again."""
    PLAN = "plan"
    """A plan is adopted or changed: the proceedings go on under it."""
    PLAN_FAILS = "plan_fails"
    """A plan is set aside without saying what follows."""
    ENDS = "ends"
    """The company comes out of the proceedings alive."""
    CLOSES = "closes"
    """The proceedings are over and the creditors were not paid."""
    REVERSES = "reverses"
    """A higher court sets a published judgment aside."""
    STRIKES_OFF = "strikes_off"
    NEUTRAL = "neutral"
    """Changes nothing: a list deposited, a sanction of a person, a sale, an order."""


class NoticeType(StrEnum):
    """Whether a notice says something, says it again rightly, or takes it back."""

    INITIAL = "initial"
    CORRECTION = "correction"
    ANNULMENT = "annulment"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A notice's words understood. `target`: the status an effect leads to, or the proceedings it speaks of.

    `review`: the words were not all understood, a person should read the notice.
    """

    effect: Effect
    target: LegalStatus | None = None
    review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalNotice:
    """One published notice about one company.

    `source_id` is unique within `source`; `replaces` is the source_id of the notice that a correction or an annulment
    speaks of, None where it does not say. `judged_on` is the court's date, `published_on` the gazette's.
    """

    source: str
    source_id: str
    published_on: date
    judged_on: date | None
    type: NoticeType = NoticeType.INITIAL
    family: str
    """The source's own family: collective, conciliation, radiation, vente, …"""
    nature: str | None
    """The source's own words for the judgment."""
    ruling: Ruling
    court: str | None = None
    text: str | None = None
    replaces: str | None = None
    url: str | None = None

    @property
    def effective_on(self) -> date:
        """When it was decided: the court's date, unless it is missing or cannot be true (after the publication, or a
        decade and more before it: misprints), then the gazette's."""
        if self.judged_on is None or not 0 <= (self.published_on - self.judged_on).days <= 3653:
            return self.published_on
        return self.judged_on
