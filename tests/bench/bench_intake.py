"""What it costs to turn the bytes of an import into records, against msgspec decoding the same rows and nothing else.

Processor time of one process, the best of several turns, so that other load on the machine disturbs little; quote the
ratios. Rows are items of some 280 bytes of JSON.

    python -m tests.bench.bench_intake            # 50,000 rows a turn
    python -m tests.bench.bench_intake --rows 10000
"""

import argparse
import csv
import gzip
import io
import json
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import msgspec

from services.ledger.domain.intake.dialects import Dialect
from services.ledger.domain.intake.items import ItemRow
from services.ledger.domain.intake.mappings import Column, Mapping
from services.ledger.domain.intake.pipeline import CSV, JSON, NDJSON, open_intake

TURNS = 7
CHUNK = 1 << 16
MIXED = Dialect(separator=";", decimal=",", encoding="cp1252", date_formats=["DD.MM.YYYY"])
COLUMNS = ["TYP", "DOC", "CLI", "DATE", "DUE", "TTC", "TVA", "CUR", "REF"]
FIELDS = (
    "kind external_id customer_external_id issue_date due_date amount tax_amount currency reference".split()
)
KIND = Column(to="kind", values={"FAC": "invoice", "AV": "credit_note"})
SAVED = Mapping(columns=dict(zip(COLUMNS, FIELDS, strict=True)) | {"TYP": KIND})


def rows(count: int) -> list[dict[str, Any]]:
    """Invoices with one credit note in nine."""
    return [
        {
            "kind": "invoice" if place % 9 else "credit_note",
            "external_id": f"INV-{place:08d}",
            "number": f"F{place}",
            "customer_external_id": f"C{place % 500:05d}",
            "issue_date": f"2025-03-{place % 28 + 1:02d}",
            "due_date": f"2025-04-{place % 28 + 1:02d}",
            "currency": "EUR",
            "amount": f"{place * 7919 % 99999 + 100}.{place % 100:02d}",
            "tax_amount": "12.30",
            "reference": f"PO {place}",
        }
        for place in range(count)
    ]


def lines(made: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in made)


def sheet(made: list[dict[str, Any]]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";")
    writer.writerow(COLUMNS)
    for row in made:
        issued, due = (".".join(reversed(row[name].split("-"))) for name in ("issue_date", "due_date"))
        amount, tax = (row[name].replace(".", ",") for name in ("amount", "tax_amount"))
        kind = "FAC" if row["kind"] == "invoice" else "AV"
        writer.writerow(
            [
                kind,
                row["external_id"],
                row["customer_external_id"],
                issued,
                due,
                amount,
                tax,
                "EUR",
                row["reference"],
            ]
        )
    return file.getvalue().encode("cp1252")


def bodies(made: list[dict[str, Any]]) -> Iterator[tuple[str, str, bytes]]:
    """Name, media type and bytes of each file measured."""
    plain = lines(made)
    yield "NDJSON", NDJSON, plain
    yield "NDJSON, gzip", NDJSON, gzip.compress(plain, 6)
    yield (
        "NDJSON, amounts as numbers",
        NDJSON,
        lines([row | {"amount": float(row["amount"])} for row in made]),
    )
    yield (
        "NDJSON, nulls and colons",
        NDJSON,
        lines([row | {"reference": "at 10:30", "source": None} for row in made]),
    )
    bad = [row | {"amount": "-1"} if place % 100 == 0 else row for place, row in enumerate(made)]
    yield "NDJSON, 1 % bad rows", NDJSON, lines(bad)
    yield "JSON, compact", JSON, json.dumps({"data": made}, separators=(",", ":")).encode()
    yield "JSON, indented", JSON, json.dumps({"data": made}, indent=2).encode()
    yield "CSV, mapped, cp1252", CSV, sheet(made)


def imported(media_type: str, body: bytes) -> int:
    """Read a body as the import does, batches dropped as they come."""
    intake = open_intake("items", media_type, dialect=MIXED, mapping=SAVED)
    taken = 0
    for start in range(0, len(body), CHUNK):
        taken += sum(batch.received for batch in intake.feed(body[start : start + CHUNK]))
    return taken + sum(batch.received for batch in intake.finish())


def best(work: Callable[[], object], count: int) -> float:
    """Microseconds of processor time a row."""
    taken = []
    for _ in range(TURNS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken) * 1e6 / count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=50_000)
    count = parser.parse_args().rows
    made = rows(count)
    out = sys.stdout.write
    out(
        f"Python {platform.python_version()}, msgspec {version('msgspec')}, {platform.machine()}, {count} rows\n"
    )
    plain = lines(made)
    decoder = msgspec.json.Decoder(ItemRow)
    blocks = [
        plain[start:].partition(b"\n")[2][:CHUNK].rpartition(b"\n")[0]
        for start in range(0, len(plain), CHUNK)
    ]
    decoded = sum(len(decoder.decode_lines(block)) for block in blocks)
    bare = best(lambda: [len(decoder.decode_lines(block)) for block in blocks], decoded)
    out(f"{'bare msgspec decode of the same rows':<38}{bare:7.2f} µs a row   1.0\n")
    for name, media_type, body in bodies(made):
        assert imported(media_type, body) == count
        cost = best(lambda media_type=media_type, body=body: imported(media_type, body), count)  # type: ignore[misc]
        out(f"{name:<38}{cost:7.2f} µs a row {cost / bare:5.1f}\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out(f"peak memory of this process, inputs included: {peak:.0f} MB\n")


if __name__ == "__main__":
    main()
