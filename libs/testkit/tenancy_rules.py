"""The rules of a schema that keeps tenants apart and can be distributed by tenant, read from PostgreSQL's catalogue.

R1 each table has tenant_id or is a reference table · R2 it is a uuid NOT NULL · R3 every unique, primary or exclusion index
holds it · R4 primary keys begin with it · R5 foreign keys between tenants' tables carry it at the same position · R6 no SET
NULL, SET DEFAULT or cascading update · R7 no triggers · R8 no sequences · R9 no foreign key from a reference table to a
tenant's · R10 row-level security is enabled and forced.
"""

import asyncpg

_TABLES = """
    SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
_VIOLATIONS = """
WITH tt AS (
    SELECT c.oid, c.relname, a.attnum, format_type(a.atttypid, -1) AS type, a.attnotnull
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition),
d AS (SELECT * FROM tt WHERE attnum IS NOT NULL)
SELECT 'R1' AS rule, relname::text AS what FROM tt WHERE attnum IS NULL AND relname <> ALL ($1::text[])
UNION ALL SELECT 'R2', relname::text FROM d WHERE type <> 'uuid' OR NOT attnotnull
UNION ALL SELECT 'R3', i.indexrelid::regclass::text FROM pg_index i JOIN d ON d.oid = i.indrelid
    WHERE (i.indisunique OR i.indisexclusion) AND NOT d.attnum = ANY (i.indkey::int2[])
UNION ALL SELECT 'R4', i.indexrelid::regclass::text FROM pg_index i JOIN d ON d.oid = i.indrelid
    WHERE i.indisprimary AND i.indkey[0] <> d.attnum
UNION ALL SELECT 'R5', conname::text FROM pg_constraint k JOIN d ON d.oid = k.conrelid JOIN d d2 ON d2.oid = k.confrelid
    WHERE contype = 'f' AND coalesce(array_position(k.conkey, d.attnum), 0)
                            IS DISTINCT FROM coalesce(array_position(k.confkey, d2.attnum), -1)
UNION ALL SELECT 'R6', conname::text FROM pg_constraint
    WHERE contype = 'f' AND (confdeltype IN ('n', 'd') OR confupdtype IN ('n', 'd', 'c'))
UNION ALL SELECT 'R7', tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'R8', s.relname::text FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
    WHERE s.relkind = 'S' AND n.nspname = 'public'
UNION ALL SELECT 'R9', conname::text FROM pg_constraint k JOIN tt r ON r.oid = k.conrelid AND r.attnum IS NULL
    JOIN d ON d.oid = k.confrelid WHERE contype = 'f'
UNION ALL SELECT 'R10', c.relname::text FROM pg_class c JOIN d ON d.oid = c.oid
    WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity)
ORDER BY 1, 2
"""


async def tables(connection: asyncpg.Connection) -> set[str]:
    """Every table the rules look at."""
    return {row["name"] for row in await connection.fetch(_TABLES)}


async def violations(
    connection: asyncpg.Connection, reference_tables: frozenset[str]
) -> list[tuple[str, str]]:
    """(rule, what breaks it), in order."""
    rows = await connection.fetch(_VIOLATIONS, sorted(reference_tables))
    return [(row["rule"], row["what"]) for row in rows]
