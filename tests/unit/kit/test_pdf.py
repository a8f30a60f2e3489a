"""Setting documents: facts are shown, never run; nothing is read; the same in, the same out."""

import asyncio
import io
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import pypdf
import pytest

from libs.kit import pdf as module
from libs.kit.pdf import PdfFailed, pdf

LINES = '#set page(numbering: "1/1")\n= #data.title\n#table(columns: 2, ..data.rows.flatten())'
HOSTILE = '#read("/etc/passwd") *bold* $x$ #panic() `raw` \\ "quoted" </>'


def text_of(document: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(document)).pages)


async def test_facts_are_shown_as_written_and_never_run() -> None:
    document = await pdf(LINES, {"title": HOSTILE, "rows": [[date(2026, 3, 31), Decimal("12.50")]]})
    shown = text_of(document)
    assert document.startswith(b"%PDF-")
    assert HOSTILE in shown.replace("“", '"').replace("”", '"')
    assert "2026-03-31" in shown
    assert "12.50" in shown


async def test_the_same_in_the_same_out_whenever_it_is_set() -> None:
    data = {"title": "Statement", "rows": [["a", "b"]] * 80}
    first = await pdf(LINES, data)
    await asyncio.sleep(1.1)  # longer than the resolution of the dates a file carries
    assert await pdf(LINES, data) == first
    dated = await pdf(LINES, data, made_at=datetime(2026, 3, 31, 12, tzinfo=UTC))
    properties = pypdf.PdfReader(io.BytesIO(dated)).metadata
    assert properties is not None
    assert properties.creation_date == datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "template",
    [
        '#read("/etc/passwd")',
        '#read("../../etc/passwd")',
        '#image("logo.png")',
        '#import "@preview/cetz:0.2.0": *',
        "#while true { 1 }",
        "#let f(n) = f(n + 1)\n#f(0)",
        "#data.nothing",
    ],
)
async def test_what_a_template_may_not_do(template: str) -> None:
    with pytest.raises(PdfFailed):
        await pdf(template, {})


async def test_the_event_loop_goes_on_and_bounds_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [[f"line {n}", "12.50"] for n in range(4_000)]
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - before)

    heart = asyncio.create_task(beat())
    started = time.perf_counter()
    await pdf(LINES, {"title": "long", "rows": rows})
    whole = time.perf_counter() - started
    heart.cancel()
    assert longest < whole / 2

    monkeypatch.setattr(module, "MOST_DATA", 1_000)
    with pytest.raises(PdfFailed, match="facts"):
        await pdf(LINES, {"title": "x" * 2_000, "rows": []})
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.001)
    with pytest.raises(PdfFailed, match="within"):
        await pdf(LINES + "\n#lorem(400)", {"title": "late", "rows": []})
