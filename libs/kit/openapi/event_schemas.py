"""JSON Schemas of the events as they leave the house: one a type, in the envelope of `GET /v1/events` and webhooks.

Inside, money is minor units; outside it is decimal strings like everywhere else in the API.
"""

import copy
import inspect
from typing import Any

from pydantic.json_schema import models_json_schema

from libs.contracts.events import CATALOGUE, MONEY_MEMBERS, POSTED_ONLY, State
from libs.kit.openapi.tidy import plain_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def event_schema(event_type: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one event type, self-contained."""
    state = (CATALOGUE | POSTED_ONLY)[event_type]
    _, generated = models_json_schema([(state, "serialization")])
    definitions = generated["$defs"]
    for definition in definitions.values():
        plain_schema(definition)
        _money_as_text(definition)
    kind = event_type.partition(".")[0]
    return {
        "$schema": DIALECT,
        "$id": f"/openapi/events/{event_type}.schema.json",
        "title": event_type,
        "description": inspect.cleandoc(state.__doc__ or ""),
        "type": "object",
        "required": ["id", "type", "occurred_at", "subject", "subject_version", "data"],
        "properties": {
            "id": {
                "type": "string",
                "format": "uuid",
                "description": "names the event; the same in every delivery",
            },
            "type": {"const": event_type},
            "occurred_at": {
                "type": "string",
                "format": "date-time",
                "description": "the tenant's business clock, UTC",
            },
            "subject": {
                "type": "object",
                "description": "what the fact is about",
                "required": ["type", "id"],
                "properties": {
                    "type": {"type": "string", "examples": [kind]},
                    "id": {"type": "string", "format": "uuid"},
                },
                "additionalProperties": False,
            },
            "subject_version": {
                "type": "integer",
                "minimum": 1,
                "description": "rises with every change of the subject: apply an event only if it is newer than what you hold",
            },
            "data": {"$ref": f"#/$defs/{state.__name__}"},
        },
        "additionalProperties": False,
        "$defs": definitions,
    }


def webhooks() -> dict[str, Any]:
    """The `webhooks` section: what is posted to an endpoint of the tenant's, a type."""
    posted = CATALOGUE | POSTED_ONLY
    return {event_type: {"post": _webhook(event_type, state)} for event_type, state in posted.items()}


#: As Standard Webhooks names them.
_HEADERS: list[dict[str, Any]] = [
    {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string", "examples": [example]},
    }
    for name, description, example in (
        (
            "webhook-id",
            "the event's id, the same at every attempt and replay",
            "0197fa3c-7d2e-7c4b-9a55-1b2c3d4e5f60",
        ),
        ("webhook-timestamp", "when this attempt was signed: seconds since 1970", "1772445600"),
        (
            "webhook-signature",
            "`v1,` and the base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`, keyed with the base64-decoded"
            " secret after `whsec_`; two of them, separated by a blank, while a secret is being rotated",
            "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        ),
    )
]


def _webhook(event_type: str, state: type[State]) -> dict[str, Any]:
    schema = _inlined(event_schema(event_type))
    name = event_type.replace(".", "_")
    return {
        "operationId": f"receive_{name}",
        "summary": event_type,
        "description": inspect.cleandoc(state.__doc__ or ""),
        "tags": ["Webhooks"],
        "parameters": _HEADERS,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "2XX": {"description": "Received."},
            "410": {"description": "Not wanted any more: the endpoint is switched off."},
            "default": {
                "description": "Tried again, ten times in about 75 hours. Redirects are not followed."
            },
        },
        "security": [],
    }


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its definitions in place of the references: `#` is another document there."""
    definitions = schema["$defs"]

    def resolve(node: Any) -> Any:
        if isinstance(node, list):
            return [resolve(child) for child in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return resolve(copy.deepcopy(definitions[node["$ref"].removeprefix("#/$defs/")]))
        return {name: resolve(child) for name, child in node.items()}

    return {
        name: resolve(part)
        for name, part in schema.items()
        if name not in ("$schema", "$id", "$defs", "title")
    }


def _money_as_text(definition: dict[str, Any]) -> None:
    for name, member in definition.get("properties", {}).items():
        if name not in MONEY_MEMBERS:
            continue
        kinds = member["type"] if isinstance(member["type"], list) else [member["type"]]
        texts = ["string" if kind == "integer" else kind for kind in kinds]
        member["type"] = texts if len(texts) > 1 else texts[0]
        member["format"] = "decimal"
        member.pop("default", None)  # of minor units
