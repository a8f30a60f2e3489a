"""Keeping clocks in step with the facts they follow from, and telling of those that come near."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.credit.domain.insurance.clocks import Clock, Facts, clocks, proof_of_debt_by, stop_of
from services.credit.storage.insurance import clocks as rows
from services.credit.storage.insurance import layers, receivables
from services.credit.storage.insurance.rows import insert, json_text, update
from services.credit.usecases.agenda import plan_action, withdraw_actions
from services.credit.usecases.conditions import Condition, settle_conditions
from services.credit.usecases.insurance.insuring import Position, positions
from services.credit.usecases.notices import house_settings

#: Days before a date on which it is told.
TOLD_AT = (15, 7, 1)
_LIVE = ("running", "stopped", "missed")
_TITLES = {
    "stop_delivery": "Stop deliveries, or they are not covered",
    "notification": "Notify the insurer of the overdue",
    "foreclosure": "File the claim before the right is lost",
    "proof_of_debt": "Declare the debt in the proceedings",
}
_BATCH = 500


async def watch_customers(tx: Tx, customer_ids: Sequence[UUID]) -> None:
    """Something about these customers' items changed."""
    await watch_companies(tx, await rows.companies_of_customers(tx, customer_ids))


async def watch_daily(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Step of a day: bring every clock up to date, tell of those that come near. Twice does no harm."""

    async def ids(tx: Tx) -> list[UUID]:
        return await rows.insured_company_ids(tx)

    everyone = await runtime.db.run(tenant, ids)
    for start in range(0, len(everyone), _BATCH):

        async def work(tx: Tx, part: list[UUID] = everyone[start : start + _BATCH]) -> None:
            await watch_companies(tx, part)
            tx.after_commit(lambda: runtime.ring(tx))

        await runtime.db.run(tenant, work)


async def watch_companies(tx: Tx, companies: Sequence[UUID]) -> None:
    """Work the clocks of companies out anew; keep stops of cover, alerts and the agenda in step."""
    if not companies:
        return
    await rows.lock_companies(tx, companies)
    found = await positions(tx, companies)
    bounced = await receivables.bounced_on(tx, companies)
    notified, extended, claimed = await _declared(tx, companies)
    wanted: dict[tuple[Any, ...], dict[str, Any]] = {}
    stopped: dict[UUID, tuple[date, str]] = {}
    for position in found:
        key = (position.insured.policy["id"], position.company_id)
        facts = _facts(tx, position, bounced, notified[key], extended[key], claimed[key])
        stop = stop_of(position.shares, facts)
        day = await _keep_stop(tx, position, stop)
        if day is not None:
            stopped[position.company_id] = day
        for clock in clocks(position.shares, facts):
            values = _clock(position, clock)
            wanted[_key(values)] = values
    for values in await _proofs_of_debt(tx, companies):
        wanted[_key(values)] = values
    await _settle(tx, companies, wanted)
    await _tell(tx, companies, stopped)


def _facts(
    tx: Tx, position: Position, bounced: dict[UUID, date], notified: dict[UUID, date], extended: dict[UUID, date],
    claimed: set[UUID],
) -> Facts:  # fmt: skip
    owed = [(share.item.original_due_date, share.gross) for share in position.shares]
    insolvency = position.insured.insolvency
    return Facts(
        today=tx.today,
        currency=position.currency,
        terms_at=position.numbered_terms,
        late_total=lambda day: sum(gross for due, gross in owed if due <= day),
        bounced_on=bounced.get(position.company_id),
        judged_on=insolvency.judged_on if insolvency else None,
        published_on=insolvency.published_on if insolvency else None,
        known_on=insolvency.known_on if insolvency else None,
        notified=notified,
        claimed=frozenset(claimed),
        extended=extended,
    )


async def _declared(tx: Tx, companies: Sequence[UUID]) -> tuple[Any, Any, Any]:
    """By policy and company: items notified and when, items with an accepted extension and to when, items claimed."""
    notified: dict[Any, dict[UUID, date]] = defaultdict(dict)
    extended: dict[Any, dict[UUID, date]] = defaultdict(dict)
    claimed: dict[Any, set[UUID]] = defaultdict(set)
    for row in await rows.declared(tx, companies):
        key = (row["policy_id"], row["company_id"])
        for identifier in _items(row):
            if row["kind"] == "EXP":
                if row["state"] == "accepted" and row["extended_to"]:
                    extended[key][identifier] = row["extended_to"]
            elif row["declared_on"]:
                before = notified[key].get(identifier, row["declared_on"])
                notified[key][identifier] = min(before, row["declared_on"])
    for row in await rows.claimed(tx, companies):
        claimed[row["policy_id"], row["company_id"]].update(_items(row))
    return notified, extended, claimed


def _items(row: Row) -> list[UUID]:
    return [UUID(one["item_id"]) for one in msgspec.json.decode(row["items"])]


async def _keep_stop(
    tx: Tx, position: Position, stop: tuple[date, str, UUID | None] | None
) -> tuple[date, str] | None:
    """Write down since when deliveries are no longer covered, and until when that was so."""
    policy_id = position.insured.policy["id"]
    known = await rows.open_stop(tx, policy_id, position.company_id)
    on = stop is not None and stop[0] <= tx.today
    if known is not None and not on:
        await update(tx, rows.STOPS, known["id"], regularised_on=tx.today)
        return None
    if stop is None or not on:
        return None
    if known is None:
        values = {
            "policy_id": policy_id, "company_id": position.company_id, "stopped_on": stop[0], "cause": stop[1],
            "item_id": stop[2],
        }  # fmt: skip
        await insert(tx, rows.STOPS, new_id(), values)
        return stop[0], stop[1]
    if stop[0] < known["stopped_on"]:
        await update(tx, rows.STOPS, known["id"], stopped_on=stop[0], cause=stop[1], item_id=stop[2])
    return min(stop[0], known["stopped_on"]), known["cause"]


def _clock(position: Position, clock: Clock) -> dict[str, Any]:
    share = clock.share
    lost = clock.kind != "stop_delivery"
    concerned = [share] if lost else [one for one in position.shares if one.covered]
    return {
        "policy_id": position.insured.policy["id"],
        "company_id": position.company_id,
        "kind": clock.kind,
        "item_id": share.item.id,
        "due_on": clock.due_on,
        "state": clock.state,
        "clause": json_text(clock.clause.model_dump(mode="json")),
        "policy_version": clock.version,
        "amount_at_stake": sum(one.indemnity for one in concerned),
        "currency": position.currency,
        "detail": json_text(
            {
                "item_number": share.item.number,
                "original_due_date": share.item.original_due_date,
                "base_on": clock.base_on,
                "cause": clock.cause,
                "items_count": len(concerned),
                "findings": list(share.findings),
            }
        ),
    }


async def _proofs_of_debt(tx: Tx, companies: Sequence[UUID]) -> list[dict[str, Any]]:
    """A clock for each company in proceedings that owes something from before the judgment, insured or not."""
    buyers = await layers.buyers_of(tx, companies)
    ill = {
        company: one
        for company, (_, one) in buyers.items()
        if one is not None and one.published_on is not None
    }
    if not ill:
        return []
    settings = await house_settings(tx)
    owed = await receivables.items_of(tx, list(ill))
    found = []
    for company, insolvency in ill.items():
        assert insolvency.published_on is not None
        before = [
            item for item in owed[company] if item.open_amount > 0 and item.issue_date < insolvency.judged_on
        ]
        due_on = proof_of_debt_by(insolvency.published_on, mainland_france=settings.calendar_country == "FR")
        for currency in sorted({item.currency for item in before}):
            mine = [item for item in before if item.currency == currency]
            due = sum(item.open_amount for item in mine if item.due_date <= insolvency.judged_on)
            total = sum(item.open_amount for item in mine)
            found.append(
                {
                    "policy_id": None, "company_id": company, "kind": "proof_of_debt", "item_id": None, "due_on": due_on,
                    "state": "running" if due_on >= tx.today else "missed", "clause": None, "policy_version": None,
                    "amount_at_stake": total, "currency": currency,
                    "detail": json_text(
                        {
                            "status": insolvency.status, "judged_on": insolvency.judged_on,
                            "published_on": insolvency.published_on, "due": from_minor(due, currency),
                            "not_due": from_minor(total - due, currency), "items_count": len(mine),
                        }
                    ),
                }
            )  # fmt: skip
    return found


def _key(values: Any) -> tuple[Any, ...]:
    """What makes a clock the same one tomorrow: its item, for dates that are lost item by item."""
    own = values["item_id"] if values["kind"] in ("notification", "foreclosure") else values["currency"]
    return values["policy_id"], values["company_id"], values["kind"], own


async def _settle(tx: Tx, companies: Sequence[UUID], wanted: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    """Make the rows say what the facts say. What was foreclosed stays so: the loss is shown once."""
    known = {_key(row): row for row in await rows.clocks_of(tx, companies)}
    for key, values in wanted.items():
        row = known.pop(key, None)
        if row is None:
            row = await rows.add(tx, {**values, "told": []})
            emit_clock(tx, row)
        elif row["state"] != "foreclosed" and any(
            row[name] != value for name, value in values.items() if name not in ("clause", "detail")
        ):
            told = row["told"] if row["due_on"] == values["due_on"] else []
            moved = (row["due_on"], row["state"]) != (values["due_on"], values["state"])
            row = await rows.change(tx, row["id"], **values, told=told)
            if moved:
                emit_clock(tx, row)
        if row["state"] == "running":
            await _announce(tx, row)
    for row in known.values():
        if row["state"] in _LIVE:
            ended = await rows.change(tx, row["id"], state="met")
            emit_clock(tx, ended)
            await withdraw_actions(tx, _source(row))


async def _announce(tx: Tx, row: Row) -> None:
    """Tell at T-15, -7 and -1: once each, and only the nearest of those that were slept through."""
    left = (row["due_on"] - tx.today).days
    passed = [days for days in TOLD_AT if left <= days]
    fresh = [days for days in passed if days not in row["told"]]
    if row["company_id"] is not None and passed:
        await plan_action(
            tx, kind=f"cover_clock_{row['kind']}", company_id=row["company_id"], due_on=row["due_on"],
            title=_TITLES[row["kind"]], source_key=_source(row), amount_at_stake=row["amount_at_stake"],
            currency=row["currency"], object_id=row["id"],
        )  # fmt: skip
    if fresh:
        told = await rows.change(tx, row["id"], told=sorted(passed, reverse=True))
        emit_clock(tx, told)


async def _tell(tx: Tx, companies: Sequence[UUID], stopped: dict[UUID, tuple[date, str]]) -> None:
    """The conditions risk opens alerts for: a date within 15 days by kind, cover stopped, a right lost."""
    found = await rows.clocks_of(tx, companies)
    stated = []
    for company in companies:
        mine = [row for row in found if row["company_id"] == company]
        for kind in _TITLES:
            near = [row for row in mine if row["kind"] == kind and _near(row, tx.today)]
            critical = any((row["due_on"] - tx.today).days <= TOLD_AT[1] for row in near)
            facts = [_evidence(row, tx.today) for row in near[:5]]
            level: Any = "critical" if critical else "warning"
            stated.append(Condition(f"clock_{kind}", company, bool(near), level, {"clocks": facts}))
        stop = stopped.get(company)
        facts_of_stop = {"stopped_on": stop[0], "cause": stop[1]} if stop else {}
        stated.append(Condition("cover_stopped", company, stop is not None, "critical", facts_of_stop))
        lost = [row for row in mine if row["state"] == "foreclosed"]
        stated.append(
            Condition("cover_foreclosed", company, bool(lost), "critical",
                      {"clocks": [_evidence(row, tx.today) for row in lost[:5]]})
        )  # fmt: skip
    await settle_conditions(tx, stated)


def emit_clock(tx: Tx, row: Row) -> None:
    """`clock.approaching`: a clock began, moved, came to T-15, -7 or -1, was met or missed."""
    tx.emit("clock.approaching", [Subject(row["id"], row["version"], clock_state(row, tx.today))])


def clock_state(row: Row, today: date) -> dict[str, Any]:
    """The state behind `clock.approaching`."""
    return {
        **{name: row[name] for name in ("company_id", "policy_id", "kind", "item_id", "currency", "state")},
        "date": row["due_on"],
        "days_left": (row["due_on"] - today).days,
        "amount": row["amount_at_stake"],
    }


def _near(row: Row, today: date) -> bool:
    return row["state"] in ("running", "missed") and row["due_on"] <= today + timedelta(days=TOLD_AT[0])


def _evidence(row: Row, today: date) -> dict[str, Any]:
    detail = msgspec.json.decode(row["detail"])
    amount = None if row["amount_at_stake"] is None else from_minor(row["amount_at_stake"], row["currency"])
    return {
        "kind": row["kind"], "date": row["due_on"], "days_left": (row["due_on"] - today).days, "state": row["state"],
        "item_number": detail.get("item_number"), "amount_at_stake": amount, "currency": row["currency"],
    }  # fmt: skip


def _source(row: Row) -> str:
    return f"cover_clock:{row['id']}"
