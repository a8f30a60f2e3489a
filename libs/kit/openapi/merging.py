"""One document for the whole house, as the gateway serves it."""

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

from libs.kit.openapi import standard
from libs.kit.openapi.document import operations
from libs.kit.openapi.event_schemas import webhooks

#: Served by every service under one path; the gateway finds the owner by the id.
_EVERYWHERE = "/v1/operations/{operation_id}"


class TwoOwners(Exception):
    """Two services declare one path and method, or one operation id; the text names both."""


def merge(documents: Mapping[str, dict[str, Any]], version: str) -> dict[str, Any]:
    """The merged document of services, by name; the first (the gateway) gives the shared operations. Raises TwoOwners."""
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Encours",
            "version": version,
            "summary": "Credit management: receivables, risk, credit limits and cover, dunning.",
            "description": "Money is a decimal string beside an ISO 4217 currency; dates are YYYY-MM-DD, instants RFC 3339 in"
            " UTC; lists page with `cursor`; errors are problem+json with a stable `code`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [],
        "paths": {},
        "components": {"schemas": {}, **copy.deepcopy(standard.COMPONENTS)},
    }
    owners: dict[str, str] = {}
    for service, document in documents.items():
        own = _renamed(copy.deepcopy(document), service, merged["components"]["schemas"])
        for path, method, operation in operations(own):
            if path == _EVERYWHERE and path in merged["paths"]:
                continue
            _claim(owners, f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}", service)
            _claim(owners, f"operation id {operation['operationId']}", service)
            _pass_through_gateway(operation)
            merged["paths"].setdefault(path, {})[method] = operation
        merged["components"]["schemas"] |= own["components"]["schemas"]
        known = {tag["name"] for tag in merged["tags"]}
        merged["tags"] += [tag for tag in own.get("tags", ()) if tag["name"] not in known]
    merged["paths"] = dict(sorted(merged["paths"].items()))
    merged["webhooks"] = webhooks()
    return merged


def _claim(owners: dict[str, str], what: str, service: str) -> None:
    owner = owners.setdefault(what, service)
    if owner != service:
        raise TwoOwners(f"{what} belongs to {owner} and to {service}")


def _pass_through_gateway(operation: dict[str, Any]) -> None:
    """Through the gateway an answer has the rate limit's headers, and two more ways to fail."""
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer["headers"]["RateLimit"] = standard.header("RateLimit")
            answer["headers"]["RateLimit-Policy"] = standard.header("RateLimitPolicy")
    for status in ("502", "504"):
        operation["responses"].setdefault(status, standard.refusal(status))


def _renamed(document: dict[str, Any], service: str, taken: dict[str, Any]) -> dict[str, Any]:
    """The document, with schemas renamed whose name another service uses for something else."""
    schemas = document["components"]["schemas"]
    clashing = [name for name in schemas if name in taken and taken[name] != schemas[name]]
    if not clashing:
        return document
    text = json.dumps(document)
    for name in clashing:
        text = text.replace(
            f'"#/components/schemas/{name}"', f'"#/components/schemas/{service.capitalize()}{name}"'
        )
    renamed: dict[str, Any] = json.loads(text)
    own = renamed["components"]["schemas"]
    renamed["components"]["schemas"] = {
        f"{service.capitalize()}{name}" if name in clashing else name: schema for name, schema in own.items()
    }
    return renamed
