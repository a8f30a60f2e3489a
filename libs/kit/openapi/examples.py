"""Examples of bodies, composed from the examples of their members where a route gives none."""

from typing import Any

_BY_FORMAT = {
    "uuid": "019a0000-0000-7000-8000-000000000001",
    "date": "2026-03-31",
    "date-time": "2026-03-31T08:00:00Z",
    "email": "accounts@example.com",
    "uri": "https://example.com/",
    "decimal": "1234.56",
    "binary": "…",
}
_MAX_DEPTH = 16


def add_examples(document: dict[str, Any]) -> None:
    """Give every JSON body of a request or a 2xx answer an example."""
    for item in document["paths"].values():
        for operation in item.values():
            bodies = [operation.get("requestBody", {})]
            bodies += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            for body in bodies:
                media = body.get("content", {}).get("application/json")
                if media and "example" not in media and "examples" not in media and media.get("schema"):
                    media["example"] = example_of(media["schema"], document)


def example_of(schema: dict[str, Any], document: dict[str, Any], depth: int = 0) -> Any:
    """A value that a schema accepts, made of the examples in it."""
    if "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        given = schema.get("examples")
        return given[0] if given else example_of(target, document, depth + 1)
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    if "example" in schema:
        return schema["example"]
    if "const" in schema:
        return schema["const"]
    if schema.get("default") is not None:
        return schema["default"]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            if depth > _MAX_DEPTH and {"type": "null"} in schema[choice]:
                return None
            return example_of(schema[choice][0], document, depth + 1)
    return _of_type(schema, document, depth)


def _of_type(schema: dict[str, Any], document: dict[str, Any], depth: int) -> Any:
    kinds = schema.get("type")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object" or "properties" in schema:
        if depth > _MAX_DEPTH:
            return {}
        return {
            name: example_of(member, document, depth + 1)
            for name, member in schema.get("properties", {}).items()
        }
    if kind == "array":
        if depth > _MAX_DEPTH or not schema.get("items"):
            return []
        return [example_of(schema["items"], document, depth + 1)]
    if kind == "string":
        return _BY_FORMAT.get(schema.get("format", ""), "text").ljust(schema.get("minLength", 0), "0")
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"boolean": False, "null": None}.get(str(kind))
