"""Where a company stands after all notices about it: corrections applied, annulments obeyed, judgments in their order.

The whole set is judged anew each time, so it does not matter in which order notices became known: an annulment read before
the notice it annuls works as well.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.risk.domain.legal.notices import (
    INSOLVENT,
    Effect,
    LegalNotice,
    LegalStatus,
    NoticeType,
)

Key = tuple[str, str]

#: Judgments of one day, in the order in which they make sense.
_RANK = {
    Effect.OPENS: 0, Effect.RESUMES: 1, Effect.PLAN: 2, Effect.PLAN_FAILS: 3, Effect.CONVERTS: 4, Effect.NEUTRAL: 5,
    Effect.ENDS: 6, Effect.CLOSES: 7, Effect.STRIKES_OFF: 8, Effect.REVERSES: 9,
}  # fmt: skip
_TEXT_DATE = re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b")
_DECIDES = frozenset((Effect.OPENS, Effect.CONVERTS, Effect.RESUMES, Effect.CLOSES, Effect.ENDS, Effect.PLAN))


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalStanding:
    """A company's legal status and where it comes from.

    `decided_by` is the notice that made the status what it is (None for `none` without any notice), `judged_on` and
    `published_on` its dates, `opened_on` the day the proceedings began. `under_plan`: a court-approved plan is being carried
    out. `implied`: no opening was ever seen, but something that happens only in proceedings. `review`: some words were not
    understood, or a judgment was set aside: a person should read. `withdrawn`: notices that no longer count.
    """

    status: LegalStatus = LegalStatus.NONE
    effect: Effect | None = None
    decided_by: str | None = None
    judged_on: date | None = None
    published_on: date | None = None
    opened_on: date | None = None
    court: str | None = None
    under_plan: bool = False
    struck_off_on: date | None = None
    implied: bool = False
    review: bool = False
    withdrawn: tuple[str, ...] = ()

    @property
    def insolvent(self) -> bool:
        """Under collective proceedings, or ended by them."""
        return self.status in INSOLVENT


def legal_standing(notices: Iterable[LegalNotice], on: date | None = None) -> LegalStanding:
    """The standing that the notices published until `on` (default: all) lead to.

    No notice at all is `none`: call this only with a complete answer. A source that could not be read is not an empty list.
    """
    seen = {_key(notice): notice for notice in notices if on is None or notice.published_on <= on}
    valid, unclear = _in_force(list(seen.values()))
    withdrawn = tuple(
        sorted(notice.source_id for key, notice in seen.items() if key not in {_key(n) for n in valid})
    )
    standing = LegalStanding(review=unclear, withdrawn=withdrawn)
    for notice in sorted(valid, key=_order):
        standing = _after(standing, notice)
    return standing


def legal_history(notices: Sequence[LegalNotice]) -> list[tuple[date, LegalStanding]]:
    """What the status was known to be, publication by publication: only the days on which it changed, oldest first."""
    days = sorted({notice.published_on for notice in notices})
    found: list[tuple[date, LegalStanding]] = []
    for day in days:
        standing = legal_standing(notices, day)
        before = found[-1][1].status if found else LegalStatus.NONE
        if standing.status != before:
            found.append((day, standing))
    return found


def _in_force(notices: list[LegalNotice]) -> tuple[list[LegalNotice], bool]:
    """The notices that still count, and whether a withdrawal could not be matched with what it withdraws."""
    notices = sorted(notices, key=lambda notice: (notice.published_on, _natural(notice.source_id)))
    by_key = {_key(notice): notice for notice in notices}
    gone: set[Key] = set()
    unclear = False
    for notice in notices:
        if notice.type is NoticeType.ANNULMENT:
            gone.add(_key(notice))
            target = _target(notice, notices)
            if target is None:
                unclear = unclear or notice.replaces is None
            else:
                gone |= _family_of(target, notices)
        elif notice.type is NoticeType.CORRECTION:
            target = _target(notice, notices)
            if target is None:
                continue
            if notice.nature is None and notice.ruling.effect is Effect.NEUTRAL:
                gone.add(_key(notice))  # it corrects an address or a name: the judgment stands as published
                continue
            gone |= {key for key in _family_of(target, notices) if _older(by_key[key], notice)}
            if notice.judged_on is None:
                by_key[_key(notice)] = replace(notice, judged_on=target.judged_on)
    valid = [notice for key, notice in by_key.items() if key not in gone]
    reversals = [notice for notice in valid if notice.ruling.effect is Effect.REVERSES]
    for reversal in reversals:
        reversed_one = _reversed(reversal, valid)
        if reversed_one is not None:
            valid.remove(reversed_one)
    return valid, unclear


def _target(notice: LegalNotice, notices: Sequence[LegalNotice]) -> LegalNotice | None:
    """What a correction or annulment speaks of: the notice it names; when it names none, the latest earlier one that says
    the same of the same judgment."""
    earlier = [other for other in notices if other is not notice and _older(other, notice)]
    if notice.replaces is not None:
        named = [o for o in notices if o.source == notice.source and o.source_id == notice.replaces]
        return named[0] if named else None
    alike = [
        other
        for other in earlier
        if other.source == notice.source
        and other.ruling.effect is notice.ruling.effect
        and other.ruling.target == notice.ruling.target
        and (notice.judged_on is None or other.judged_on == notice.judged_on)
        and other.type is not NoticeType.ANNULMENT
    ]
    return alike[-1] if alike else None


def _family_of(notice: LegalNotice, notices: Sequence[LegalNotice]) -> set[Key]:
    """A notice, what it corrects and what corrects it: they are one statement."""
    together = {_key(notice)}
    corrections = [one for one in notices if one.type is NoticeType.CORRECTION and one.replaces is not None]
    grew = True
    while grew:
        grew = False
        for one in corrections:
            pair = {_key(one), (one.source, one.replaces or "")}
            if together & pair and not pair <= together:
                together |= pair
                grew = True
    return together & {_key(one) for one in notices}


def _reversed(reversal: LegalNotice, valid: Sequence[LegalNotice]) -> LegalNotice | None:
    """The judgment a higher court set aside: the one of a date it names, else the latest that decided something."""
    named = {reversal.judged_on} | {
        found for match in _TEXT_DATE.finditer(reversal.text or "") if (found := _a_date(match)) is not None
    }
    before = sorted(
        (n for n in valid if n.ruling.effect in _DECIDES and n.published_on <= reversal.published_on),
        key=_order,
    )
    exact = [notice for notice in before if notice.judged_on in named]
    candidates = exact or before
    return candidates[-1] if candidates else None


def _after(standing: LegalStanding, notice: LegalNotice) -> LegalStanding:
    """The standing once a notice is taken in."""
    ruling = notice.ruling
    standing = replace(standing, review=standing.review or ruling.review)
    match ruling.effect:
        case Effect.OPENS | Effect.CONVERTS | Effect.RESUMES if ruling.target is not None:
            if ruling.target is LegalStatus.CONCILIATION and standing.insolvent:
                return standing
            softer = (
                standing.status is LegalStatus.LIQUIDATION and ruling.target is not LegalStatus.LIQUIDATION
            )
            return _decided(standing, notice, ruling.target, opens=True, review=softer)
        case Effect.PLAN if ruling.target is not None:
            if standing.status in (LegalStatus.NONE, LegalStatus.CEASED, LegalStatus.CONCILIATION):
                standing = replace(_decided(standing, notice, ruling.target, opens=True), implied=True)
            return replace(standing, under_plan=True)
        case Effect.PLAN_FAILS:
            if standing.status is LegalStatus.NONE:
                standing = _decided(standing, notice, LegalStatus.OTHER_PROCEEDING, opens=True)
            return replace(standing, under_plan=False)
        case Effect.ENDS:
            if standing.status is LegalStatus.LIQUIDATION and ruling.target not in (
                None,
                LegalStatus.LIQUIDATION,
            ):
                return replace(standing, review=True)
            return _decided(standing, notice, LegalStatus.NONE)
        case Effect.CLOSES:
            return _decided(standing, notice, LegalStatus.CLOSED_INSOLVENCY)
        case Effect.STRIKES_OFF:
            struck_off = replace(standing, struck_off_on=notice.effective_on)
            return struck_off if standing.insolvent else _decided(struck_off, notice, LegalStatus.CEASED)
        case Effect.NEUTRAL if ruling.target is not None and standing.decided_by is None:
            return replace(_decided(standing, notice, ruling.target), implied=True)
    return standing


def _decided(
    standing: LegalStanding,
    notice: LegalNotice,
    status: LegalStatus,
    *,
    opens: bool = False,
    review: bool = False,
) -> LegalStanding:
    going_on = standing.status in (LegalStatus.SAFEGUARD, LegalStatus.RECEIVERSHIP, LegalStatus.LIQUIDATION)
    opened_on = standing.opened_on if not opens or (going_on and standing.opened_on) else notice.effective_on
    return replace(
        standing,
        status=status,
        effect=notice.ruling.effect,
        decided_by=notice.source_id,
        judged_on=notice.judged_on,
        published_on=notice.published_on,
        opened_on=None if status in (LegalStatus.NONE, LegalStatus.CEASED) else opened_on,
        court=notice.court,
        under_plan=False,
        implied=False,
        review=standing.review or review,
    )


def _order(notice: LegalNotice) -> tuple[date, int, date, tuple[str, int, str]]:
    return notice.effective_on, _RANK[notice.ruling.effect], notice.published_on, _natural(notice.source_id)


def _older(one: LegalNotice, other: LegalNotice) -> bool:
    return (one.published_on, _natural(one.source_id)) < (other.published_on, _natural(other.source_id))


def _natural(source_id: str) -> tuple[str, int, str]:
    """Gazette numbers count upwards without leading zeros: A…9 comes before A…10."""
    match = re.match(r"(\D*)(\d+)(.*)\Z", source_id, re.DOTALL)
    return (match[1], int(match[2]), match[3]) if match else (source_id, 0, "")


def _key(notice: LegalNotice) -> Key:
    return notice.source, notice.source_id


def _a_date(match: re.Match[str]) -> date | None:
    try:
        return date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        return None
