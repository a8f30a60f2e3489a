"""The morning report: what a credit manager reads first, in eighty columns of plain text.

Pure layout: the figures come from the public API as they are. A part that could not be read says so in its
place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

__all__ = ["MorningFacts", "morning_report"]

WIDTH = 80
_NOT_LATE = frozenset({"not_due", "unallocated"})
#: Why a reminder cannot leave, as the work it leaves to somebody.
_BLOCKED = {"no_contact": "find an address", "delivery_failed": "mend the address"}
_RULE = "─" * WIDTH
_DOUBLE = "═" * WIDTH


@dataclass(slots=True)
class MorningFacts:
    """Answers of the API, None where one could not be had; `missing` says why, by the name of the part."""

    tenant_name: str
    today: date
    url: str
    api_key: str
    key_file: str
    ageing: Mapping[str, Any] | None = None
    dso: Mapping[str, Any] | None = None
    risks: Sequence[Mapping[str, Any]] | None = None
    actions: Sequence[Mapping[str, Any]] | None = None
    requests: Sequence[Mapping[str, Any]] | None = None
    run: Mapping[str, Any] | None = None
    missing: dict[str, str] = field(default_factory=dict)


def morning_report(facts: MorningFacts) -> str:
    """The report, lines of at most 80 columns; only the API key, which must be copied whole, may be
    longer."""
    day = f"{facts.today:%A} {facts.today.day} {facts.today:%B %Y}"
    lines = [_DOUBLE, _spread(f" ENCOURS · {facts.tenant_name}", f"{day} "), _DOUBLE]
    lines += _owed(facts)
    lines += _dso(facts)
    lines += _risks(facts)
    lines += _actions(facts)
    lines += [
        _RULE,
        f" API    {facts.url}/v1",
        f" Docs   {facts.url}/docs",
        f" Mails  {facts.url}/v1/sandbox/mails",
        f" Key    in {facts.key_file}, for the header Authorization: Bearer …",
        f"        {facts.api_key}",
        _DOUBLE,
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _owed(facts: MorningFacts) -> list[str]:
    lines = ["", f" {'WHAT IS OWED':<14}{'outstanding':>19}{'overdue':>19}{'late':>9}{'> 90 days':>18}"]
    if facts.ageing is None:
        return [*lines, _absent(facts, "ageing")]
    rows = facts.ageing.get("data") or []
    for row in rows:
        amounts = {bucket: Decimal(amount) for bucket, amount in row["amounts"].items()}
        outstanding = Decimal(row["outstanding"])
        overdue = sum((amount for bucket, amount in amounts.items() if bucket not in _NOT_LATE), Decimal(0))
        old = sum((amounts.get(bucket, Decimal(0)) for bucket in ("91-180", ">180")), Decimal(0))
        share = f"{overdue / outstanding:.1%}" if outstanding > 0 else "-"
        lines.append(
            f"   {row['currency']:<12}{_money(outstanding):>19}{_money(overdue):>19}{share:>9}{_money(old):>18}"
        )
    return lines if rows else [*lines, "   nothing is owed"]


def _dso(facts: MorningFacts) -> list[str]:
    if facts.dso is None:
        return ["", " DSO", _absent(facts, "dso")]
    answer = facts.dso if "value" in facts.dso else ((facts.dso.get("data") or [{}])[0])
    if answer.get("value") is None:
        return ["", f" DSO  not known: {answer.get('reason') or 'no sales to compare with'}"]
    parts = [
        f"{label} {_days(answer[name])}"
        for name, label in (
            ("contractual", "contractual"),
            ("overdue", "overdue"),
            ("best_possible", "best possible"),
        )
        if answer.get(name) is not None
    ]
    return ["", f" DSO  {_days(answer['value'])} days, count-back" + "".join(f" · {part}" for part in parts)]


def _risks(facts: MorningFacts) -> list[str]:
    lines = ["", f" {'TOP RISKS':<31}{'overdue':>15}{'outstanding':>16}{'limit':>11}{'used':>6}"]
    if facts.risks is None:
        return [*lines, _absent(facts, "risks")]
    for row in facts.risks:
        name = (row.get("company") or {}).get("name") or "?"
        limit = row.get("limit")
        used = row.get("limit_used_percent")
        lines.append(
            f"   {_cut(name, 25):<25} {row.get('currency', ''):<3}{_short(row.get('overdue')):>14}"
            f"{_short(row.get('outstanding')):>16}{_short(limit) if limit is not None else '-':>11}"
            f"{_percent(used) if used is not None else '-':>6}"
        )
    return lines if facts.risks else [*lines, "   none"]


def _actions(facts: MorningFacts) -> list[str]:
    lines = ["", " TODAY'S ACTIONS"]
    if facts.run is not None:
        counts = facts.run.get("counts") or {}
        words = {
            "sent": "reminders sent",
            "to_confirm": "to confirm",
            "blocked": "blocked",
            "skipped": "skipped",
        }
        told = [f"{counts[name]} {word}" for name, word in words.items() if counts.get(name)]
        lines[-1] += f"  {' · '.join(told) if told else 'nothing was due'}"
    if facts.actions is None:
        return [*lines, _absent(facts, "actions")]
    todo = [
        _todo(action.get("due_on"), _what(action), action.get("customer_name"), action)
        for action in facts.actions
    ]
    if facts.requests is None:
        todo.append(_absent(facts, "requests"))
    todo += [
        _todo(facts.today, "approve a limit", request.get("company_name"), request)
        for request in facts.requests or []
    ]
    return [*lines, *(todo or ["   nothing is left to do by hand"])]


def _what(action: Mapping[str, Any]) -> str:
    if action.get("state") == "blocked":
        return _BLOCKED.get(str(action.get("reason")), f"unblock {action.get('channel')}")
    return str(action.get("channel") or action.get("kind") or "action")


def _todo(day: object, what: str, name: object, row: Mapping[str, Any]) -> str:
    amount = f"{_short(row.get('amount'))} {row.get('currency') or ''}".strip()
    return f"   {day!s:<11}{_cut(what, 17):<18}{_cut(str(name or ''), 30):<31}{amount:>16}"


def _absent(facts: MorningFacts, part: str) -> str:
    return f"   {_cut('not available: ' + facts.missing.get(part, 'no answer'), WIDTH - 3)}"


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _short(text: object) -> str:
    """An amount without its cents: a table of risks is read for its size."""
    return f"{Decimal(str(text)):,.0f}" if text is not None else "-"


def _days(text: object) -> str:
    return f"{Decimal(str(text)):.0f}"


def _percent(text: object) -> str:
    return f"{Decimal(str(text)):.0f}%"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _spread(left: str, right: str) -> str:
    return _cut(left, WIDTH - len(right) - 1).ljust(WIDTH - len(right)) + right
