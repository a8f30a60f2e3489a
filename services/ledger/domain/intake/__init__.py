"""Turns the bytes of an import into rows a database can take: streaming, bounded in memory, exact, and pure.

The way of a file: `gunzip` → one of `ndjson_rows`, `json_rows`, `csv_rows` (where rows begin and end) → `row_decoder`
(syntax, types, lengths) → `items`, `customers`, `orders`, `payments` (rules, money in minor units) → `pipeline`
(numbers the rows, ignores repeats, adds up, cuts batches). A block of rows is first read at once; only when something
in it is not as it should be is it read row by row, so that each bad row is named and the good ones go on.
"""
