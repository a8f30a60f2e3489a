"""Pushing a file to a house of ours over HTTP: streamed from the disk, followed to its end, with a bar on a terminal."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

_CHUNK = 1 << 20
_TIMEOUT = httpx.Timeout(connect=5, read=300, write=60, pool=5)
_MEDIA = {
    ".json": "application/json",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv",
}
_WAIT_S = 5


class PushFailed(Exception):
    """The file was not taken; the text is one line for whoever sent it."""


async def push_file(url: str, key: str, file: Path, query: dict[str, str]) -> dict[str, Any]:
    """Send a file to `POST /v1/imports` and wait until its rows are applied; the import as it ended. Raises PushFailed."""
    name = file.name.removesuffix(".gz")
    media_type = _MEDIA.get(Path(name).suffix.lower())
    if media_type is None:
        raise PushFailed(f"{file.name}: expected a name that ends in {', '.join(_MEDIA)}, plain or with .gz")
    try:
        size = (await asyncio.to_thread(file.stat)).st_size
    except OSError as error:
        raise PushFailed(f"{file}: {error.strerror}") from None
    headers = {
        "authorization": f"Bearer {key}",
        "content-type": media_type,
        "content-length": str(size),
    }
    if name != file.name:
        headers["content-encoding"] = "gzip"
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty(),
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, trust_env=False) as client:
            with bar:
                sending = bar.add_task(f"sending {file.name}", total=max(size, 1))
                answer = await client.post(
                    "/v1/imports",
                    params=query,
                    headers=headers,
                    content=_bytes(file, lambda n: bar.advance(sending, n)),
                )
                done = _read(answer)
                applying = bar.add_task("applying", total=None)
                while done["status"] == "processing":
                    path = f"/v1/imports/{done['id']}"
                    wait = {"wait": _WAIT_S}
                    done = _read(
                        await client.get(
                            path, params=wait, headers={"authorization": headers["authorization"]}
                        )
                    )
                    counts = done["counts"]
                    bar.update(applying, description=f"applying, {counts['received']} rows received")
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise PushFailed(f"{url} is not an address such as http://127.0.0.1:8080") from None
    except httpx.HTTPError as error:
        raise PushFailed(f"{url} does not answer: {error or type(error).__name__}") from None
    return done


async def _bytes(file: Path, sent: Any) -> AsyncIterator[bytes]:
    with file.open("rb") as stream:
        while chunk := await asyncio.to_thread(stream.read, _CHUNK):
            yield chunk
            sent(len(chunk))


def _read(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        raise PushFailed(f"{response.url.host} answered {response.status_code} without a reason") from None
    if response.status_code >= 400:
        where = "".join(
            f"; {one.get('pointer', '')}: {one.get('detail', '')}" for one in body.get("errors", ())[:3]
        )
        raise PushFailed(f"{response.status_code} {body.get('code', '')}: {body.get('detail', '')}{where}")
    read: dict[str, Any] = body
    return read
