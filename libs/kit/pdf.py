"""Documents to print: a typst template of the product and the facts it shows, set as PDF.

A template finds its facts in `data`, as JSON: they are never written into its markup, so a customer called `#read("x")` is shown
as such. It reads no file and no package; its fonts are those typst brings and those beside this module.
"""

import asyncio
import os
import re
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst

from libs.kit.responses import json_bytes

PDF = "application/pdf"
#: Folders of fonts beside typst's own. The machine's others are ignored, so that a document looks the same everywhere; Debian's
#: fonts-noto-cjk and the operator's own folder hold what typst does not bring: Chinese and Japanese.
FONTS = (Path(__file__).parent / "fonts", Path("/usr/share/fonts/opentype/noto"))
OWN_FONTS = "ENCOURS_FONTS_DIR"
#: A thousand table lines take about a second and a megabyte: what a person can leaf through stays far below.
MOST_DATA = 8 * 1024 * 1024
MOST_PAGES_BYTES = 50 * 1024 * 1024
LONGEST_SECONDS = 60.0
_PACKAGE = re.compile(r"@[a-z]+/")
_THREADS = 2
_OWN = threading.local()


class PdfFailed(Exception):
    """The document could not be set: a fault of the template, or facts too many to print. The text is for the log."""


async def pdf(
    template: str, data: Mapping[str, Any], *, made_at: datetime | None = None, tagged: bool = True
) -> bytes:
    """The document as PDF; the same template and data give the same bytes.

    `data` may hold what JSON holds, and dates, instants, decimals and UUIDs, which the template reads as texts. `made_at` is the
    instant the file's properties show (none: 1970, so that nothing but the arguments counts). `tagged` marks headings and tables
    for screen readers; long tables take half the room without. Set in a thread: the event loop goes on. Raises PdfFailed."""
    if _PACKAGE.search(template):
        raise PdfFailed("a template uses no packages: they would be fetched from the network")
    facts = json_bytes(data)
    if len(facts) > MOST_DATA:
        raise PdfFailed(f"{len(facts)} bytes of facts, {MOST_DATA} are the most")
    made = 0 if made_at is None else int(made_at.timestamp())
    setting = asyncio.get_running_loop().run_in_executor(
        _threads(), _set, template, facts.decode(), made, tagged
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            document = await setting
    except TimeoutError:
        # The thread cannot be stopped, but ends by itself: typst refuses endless loops, and the facts are bounded.
        raise PdfFailed(f"not set within {LONGEST_SECONDS:g} s") from None
    if len(document) > MOST_PAGES_BYTES:
        raise PdfFailed(f"a document of {len(document)} bytes, {MOST_PAGES_BYTES} are the most")
    return document


def _set(template: str, facts: str, made: int, tagged: bool) -> bytes:
    source = f"#let data = json(bytes(sys.inputs.data));{template}"
    try:
        document = _compiler().compile(
            source.encode(),
            format="pdf",
            sys_inputs={"data": facts},
            timestamp=made,
            pdf_tags=tagged,
        )
    except typst.TypstError as fault:
        raise PdfFailed(str(fault)) from fault
    assert isinstance(document, bytes)
    return document


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="pdf")


@cache
def _nothing() -> str:
    """An empty folder: the only one a template could read from."""
    return tempfile.mkdtemp(prefix="encours-pdf-")


def font_families() -> frozenset[str]:
    """The names of the fonts a document may ask for."""
    return _families()


@cache
def _families() -> frozenset[str]:
    return frozenset(_fonts().families())


def _fonts() -> typst.Fonts:
    own = os.environ.get(OWN_FONTS)
    folders = [folder for folder in (*FONTS, *([Path(own)] if own else [])) if folder.is_dir()]
    return typst.Fonts(include_system_fonts=False, font_paths=folders)


def _compiler() -> typst.Compiler:
    """This thread's own: one that is kept knows its fonts and what it has set before."""
    compiler: typst.Compiler | None = getattr(_OWN, "compiler", None)
    if compiler is None:
        compiler = typst.Compiler(b"", root=_nothing(), font_paths=_fonts())
        _OWN.compiler = compiler
    return compiler
