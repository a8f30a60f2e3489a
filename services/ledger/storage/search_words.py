"""The words that customers and companies are found by (`?q=`), in an index that holds behind the tenant's policy.

PostgreSQL uses no index of trigrams or of an array there: only plain comparisons keep a secret from whoever may not read a row.
So words are rows, and "begins with" is a range of them.
"""

from collections.abc import Collection, Mapping
from typing import Literal
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.paging import Statement
from services.ledger.domain.search_words import sought, sought_number

#: Words of a customer's name and external id, of a company's name, and its registration number.
Kind = Literal["customer", "company", "number"]
_FORGET = """
    DELETE FROM search_words w
     WHERE w.tenant_id = $1 AND w.kind = $2 AND w.object_id = ANY($3::uuid[])
       AND NOT EXISTS (SELECT FROM unnest($4::uuid[], $5::text[]) AS k (id, word)
                        WHERE k.id = w.object_id AND k.word COLLATE "C" = w.word)
"""
_KEEP = """
    INSERT INTO search_words (tenant_id, kind, word, object_id)
    SELECT $1, $2, k.word, k.id FROM unnest($3::uuid[], $4::text[]) AS k (id, word)
    ON CONFLICT DO NOTHING
"""
_BEGINNING = """
    SELECT w.object_id FROM search_words w WHERE w.tenant_id = $1 AND w.kind = '{kind}' AND w.word >= {{}} AND w.word < {{}}
"""


async def keep(tx: Tx, kind: Kind, words: Mapping[UUID, Collection[str]], *, new: bool = False) -> None:
    """Have these objects found by these words and no others; `new`: they were found by none."""
    pairs = [(identifier, word) for identifier, of_it in words.items() for word in sorted(of_it)]
    columns = [identifier for identifier, _ in pairs], [word for _, word in pairs]
    if not new and words:
        await tx.execute(_FORGET, tx.tenant_id, kind, list(words), *columns)
    if pairs:
        await tx.execute(_KEEP, tx.tenant_id, kind, *columns)


async def any_begins(tx: Tx, kinds: Collection[Kind], q: str) -> bool:
    """Whether the first word sought begins a word of any object, or all of it a number: if not, it may stand inside of one."""
    statement = Statement([tx.tenant_id])
    probes = [_range(statement, kind, bounds) for kind in kinds for bounds in _of(kind, q)[:1]]
    if not probes:
        return False
    exists = " OR ".join(f"EXISTS ({probe})" for probe in probes)
    found: bool = await tx.fetchval(f"SELECT {exists}", *statement.params)
    return found


def matches(statement: Statement, kind: Kind, column: str, q: str) -> str:
    """The condition that an object of this kind, whose id stands in a column, is found by all words sought; $1 is the tenant."""
    ranges = [f"{column} IN ({_range(statement, kind, bounds)})" for bounds in _of(kind, q)]
    return "(" + " AND ".join(ranges) + ")" if ranges else "false"


def _of(kind: Kind, q: str) -> list[tuple[str, str]]:
    if kind != "number":
        return sought(q)
    number = sought_number(q)
    return [] if number is None else [number]


def _range(statement: Statement, kind: Kind, bounds: tuple[str, str]) -> str:
    return _BEGINNING.format(kind=kind).format(*(statement.bind(bound) for bound in bounds))
