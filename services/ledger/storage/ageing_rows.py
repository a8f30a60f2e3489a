"""Ageing as SQL: one pass over the open items gives the rows, the page and the totals.

Columns a0 … an hold the amounts of the buckets in order (not due, the intervals, beyond the last, unallocated), c0 … cn the
numbers of items.
"""

from collections.abc import Mapping, Sequence

from libs.contracts.exchange import Conversion
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset
from services.ledger.domain.ageing import CreditMode
from services.ledger.storage.currency_factors import RATES, converted, factors_of, rates_of
from services.ledger.storage.open_items import KEYS, Moment, Scope, joined, narrow

#: Spends the credits of a customer and business unit on its oldest debits; see domain.ageing for the rule in words.
_NETTED = """
    SELECT o.*, CASE WHEN o.open_amount > 0
                     THEN least(o.open_amount, greatest(0, o.debits_before + o.open_amount - o.credit))
                     ELSE -greatest(0, least(-o.open_amount, o.credits_before - o.open_amount - o.debit)) END AS rest
      FROM (SELECT r.*,
                   coalesce(sum(greatest(r.open_amount, 0)) OVER oldest, 0) AS debits_before,
                   coalesce(sum(greatest(-r.open_amount, 0)) OVER oldest, 0) AS credits_before,
                   sum(greatest(-r.open_amount, 0)) OVER everything AS credit,
                   sum(greatest(r.open_amount, 0)) OVER everything AS debit
              FROM ({relation}) r
            WINDOW everything AS (PARTITION BY r.customer_id, r.business_unit_id, r.currency),
                   oldest AS (PARTITION BY r.customer_id, r.business_unit_id, r.currency ORDER BY r.due_date, r.id
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) o
"""


async def rows(
    tx: Tx, by: str, when: Moment, scope: Scope, bounds: Sequence[int], credit_mode: CreditMode,
    target: str, conversions: Mapping[str, Conversion], cursor: str | None, limit: int,
) -> tuple[list[Row], list[Row]]:  # fmt: skip
    """A page of (key, currency) rows, largest first by what they weigh in the target, and the totals by currency.

    Totals carry t0 … tn besides: the sums of what each row's buckets are in the target, each converted on its own. A currency
    without a conversion stands there as it is.
    """
    key, name, _ = KEYS[by]
    statement = Statement()
    source = joined(tx, statement, when, by)
    if credit_mode is CreditMode.FIFO:
        head, _, tail = source.partition("FROM (SELECT ")
        inside, _, rest = tail.partition(") o JOIN")
        source = f"{head}FROM ({_NETTED.format(relation='SELECT ' + inside)}) o JOIN{rest}"
    amount = "o.rest" if credit_mode is CreditMode.FIFO else "o.open_amount"
    day = f"{statement.bind(when.as_of)}::date"
    narrow(statement, scope, whole_companies=by in ("company", "group"))
    buckets = _buckets(bounds, day, by_date=credit_mode is CreditMode.BY_DATE)
    figures = ", ".join(
        f"coalesce(sum({amount}) FILTER (WHERE {condition}), 0)::bigint AS a{n},"
        f" count(*) FILTER (WHERE {condition})::int AS c{n}"
        for n, condition in enumerate(buckets)
    )
    aggregate = (
        f"SELECT {key} AS key, min({name}) AS name, o.currency, sum({amount})::bigint AS outstanding,"
        f" count(*)::int AS items_count, {figures} {source} {statement.clause()} GROUP BY 1, 3"
    )
    outer = Statement(params=statement.params)
    factors = factors_of(target, dict(conversions))
    codes, values = outer.bind(list(factors)), outer.bind(list(factors.values()))
    rates = RATES.format(*(outer.bind(column) for column in rates_of(target, conversions)))
    keys = [SortKey("w.weight", "numeric", descending=True), SortKey("w.key", "uuid")]
    order = keyset(outer, keys, cursor)
    names = [f"{letter}{n}" for letter in "ac" for n in range(len(buckets))]
    in_target = [converted(f"q.a{n}") for n in range(len(buckets))]
    found = await tx.fetch(
        f"WITH q AS MATERIALIZED ({aggregate}),"
        f" f AS (SELECT * FROM unnest({codes}::text[], {values}::numeric[]) AS f(currency, factor)),"
        " w AS (SELECT q.key, sum(q.outstanding * coalesce(f.factor, 0)) AS weight"
        "         FROM q LEFT JOIN f ON f.currency = q.currency GROUP BY 1),"
        f" page AS (SELECT w.key, w.weight, {cursor_columns(keys)} FROM w {outer.clause()} {order}"
        f"          LIMIT {limit + 1:d})"
        f" SELECT false AS total, page._cursor, page.weight, q.key, q.name, q.currency, q.outstanding, q.items_count,"
        f"        {', '.join('q.' + one for one in names)}, {', '.join(f'NULL::bigint AS t{n}' for n in range(len(buckets)))}"
        "   FROM page JOIN q ON q.key = page.key"
        f" UNION ALL SELECT true, NULL, NULL, NULL, NULL, q.currency, sum(q.outstanding)::bigint, sum(q.items_count)::int,"
        f"        {', '.join(f'sum(q.{one})::bigint' for one in names)},"
        f"        {', '.join(f'sum({one})::bigint' for one in in_target)}"
        f"   FROM q LEFT JOIN {rates} ON f.currency = q.currency GROUP BY q.currency"
        " ORDER BY 1, 3 DESC, 4, 6",
        *outer.params,
    )
    return [row for row in found if not row["total"]], [row for row in found if row["total"]]


def _buckets(bounds: Sequence[int], day: str, *, by_date: bool) -> list[str]:
    """The condition of each bucket, in the order of domain.ageing.bucket_labels."""
    kept = "true" if by_date else "o.open_amount > 0"
    late = f"({day} - o.due_date)"
    conditions = [f"{kept} AND {late} <= 0"]
    low = 1
    for high in bounds:
        conditions.append(f"{kept} AND {late} BETWEEN {low} AND {int(high)}")
        low = int(high) + 1
    conditions.append(f"{kept} AND {late} >= {low}")
    conditions.append("false" if by_date else "o.open_amount < 0")
    return conditions
