"""Imports: what an ERP pushes, from the request to the ledger.

`receiving` takes the body; a small one goes through `small` in the request, a large one through `large` in a worker, chunk by
chunk. Both hand batches of at most 10,000 rows to `applying`, which knows one module a kind of rows. `snapshots` closes what
a snapshot no longer names, unless its brake holds it.
"""
