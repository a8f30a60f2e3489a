"""Every answer a test receives is held against the OpenAPI document: status, media type, schema, no member unheard of."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

_FORMATS = FormatChecker(["date", "date-time", "uuid", "email"])
#: Answers a path gives for every method and path it does not know, before any operation is reached.
_UNROUTED = {404, 405}


@dataclass(frozen=True, slots=True)
class _Operation:
    method: str
    template: str
    pattern: re.Pattern[str]
    fixed_segments: int
    responses: dict[str, Any]


class Contract:
    """One OpenAPI document, ready to be asked."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._components = _closed(document.get("components", {}))
        self._operations = [
            _operation(method, template, operation, document)
            for template, item in document["paths"].items()
            for method, operation in item.items()
            if method in ("get", "post", "put", "patch", "delete")
        ]
        self._validators: dict[str, Draft202012Validator] = {}

    def check(self, response: httpx.Response) -> None:
        """Raise AssertionError, saying where, when an answer is not what the document promises."""
        request = response.request
        if not request.url.path.startswith("/v1/") or request.method in ("HEAD", "OPTIONS"):
            return
        called = f"{request.method} {request.url.path} -> {response.status_code}"
        operation = self._find(request.method, request.url.path)
        if operation is None:
            assert response.status_code in _UNROUTED, f"{called}: the document knows no such operation"
            return
        declared = operation.responses.get(str(response.status_code))
        assert declared is not None, f"{called}: this status is not declared for {operation.template}"
        for name, header in declared.get("headers", {}).items():
            missing = header.get("required") and name not in response.headers
            assert not missing, f"{called}: the declared header {name} is missing"
        content = declared.get("content", {})
        if not content:
            assert not response.content, f"{called}: a body where none is declared"
            return
        media = response.headers.get("content-type", "").partition(";")[0].strip()
        assert media in content, f"{called}: {media or 'no media type'}, declared are {sorted(content)}"
        if media.endswith("json") and "schema" in content[media]:
            self._check_body(called, response.content, content[media]["schema"])

    def _check_body(self, called: str, body: bytes, schema: dict[str, Any]) -> None:
        key = json.dumps(schema, sort_keys=True)
        validator = self._validators.get(key)
        if validator is None:
            whole = {**_closed(schema), "components": self._components}
            validator = self._validators[key] = Draft202012Validator(whole, format_checker=_FORMATS)
        error = best_match(validator.iter_errors(json.loads(body)))
        if error is not None:
            pointer = "/" + "/".join(str(part) for part in error.absolute_path)
            raise AssertionError(f"{called}: at {pointer}: {error.message[:500]}")

    def _find(self, method: str, path: str) -> _Operation | None:
        fitting = [o for o in self._operations if o.method == method and o.pattern.fullmatch(path)]
        return max(fitting, key=lambda o: o.fixed_segments, default=None)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("/".join("[^/]+" if "{" in part else re.escape(part) for part in template.split("/")))


def _operation(method: str, template: str, operation: dict[str, Any], document: dict[str, Any]) -> _Operation:
    responses = {status: _resolved(answer, document) for status, answer in operation["responses"].items()}
    fixed = sum("{" not in part for part in template.split("/"))
    return _Operation(method.upper(), template, _pattern(template), fixed, responses)


def _resolved(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Follow a `$ref` to a response, and those of its headers."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    if "headers" in node:
        node = {**node, "headers": {name: _resolved(h, document) for name, h in node["headers"].items()}}
    return node


def _closed(node: Any) -> Any:
    """A schema that lists its members allows no others here: an undeclared member is a promise nobody made."""
    if isinstance(node, list):
        return [_closed(child) for child in node]
    if not isinstance(node, dict):
        return node
    copied = {name: _closed(child) for name, child in node.items()}
    if isinstance(node.get("properties"), dict) and "additionalProperties" not in node:
        copied["additionalProperties"] = False
    return copied
