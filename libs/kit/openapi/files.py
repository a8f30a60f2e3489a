"""The committed documents: what `openapi/` must hold, written from the code and compared with it."""

import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

from libs.contracts.events import CATALOGUE, POSTED_ONLY
from libs.kit.app import VERSION, build_app
from libs.kit.openapi.document import build
from libs.kit.openapi.event_schemas import event_schema
from libs.kit.openapi.merging import merge
from libs.kit.settings import SERVICES, ServiceName


def document_of(service: ServiceName) -> dict[str, Any]:
    """A service's document, from its declaration."""
    return build(build_app(importlib.import_module(f"services.{service}.service").SERVICE))


def generate() -> dict[str, Any]:
    """Every generated file: its path under `openapi/` and its content."""
    declared = [name for name in SERVICES if importlib.util.find_spec(f"services.{name}.service")]
    documents: dict[str, dict[str, Any]] = {name: document_of(name) for name in declared}
    made: dict[str, Any] = {f"{name}.json": document for name, document in documents.items()}
    made["gateway.json"] = merge(documents, VERSION)
    for event_type in CATALOGUE | POSTED_ONLY:
        made[f"events/{event_type}.schema.json"] = event_schema(event_type)
    return made


def write(directory: Path, made: dict[str, Any]) -> None:
    """Write what is out of date, remove what is no longer generated."""
    for path in _stray(directory, made):
        path.unlink()
    for name, content in made.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(content))


def check(directory: Path, made: dict[str, Any]) -> list[str]:
    """Where the committed files and the code have drifted apart."""
    found = [
        f"{path.relative_to(directory)}: nothing generates this file" for path in _stray(directory, made)
    ]
    for name, content in made.items():
        path = directory / name
        if not path.exists() or path.read_text() != _text(content):
            found.append(f"{name}: differs from the code; run `make openapi`")
    return found


def _stray(directory: Path, made: dict[str, Any]) -> list[Path]:
    present = [*directory.glob("*.json"), *directory.glob("events/*.json")]
    return [path for path in present if path.relative_to(directory).as_posix() not in made]


def _text(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, sort_keys=False) + "\n"
