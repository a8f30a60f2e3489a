"""Makes FastAPI's schemas plainer: `null` as a type, no machine-made titles, none of its own error schemas."""

from typing import Any

_UNUSED = ("HTTPValidationError", "ValidationError")


def plain_schema(schema: dict[str, Any]) -> None:
    """Rewrite one schema in place."""
    _plain(schema, keep_title=False)


def tidy(document: dict[str, Any]) -> None:
    """Rewrite a document in place."""
    schemas = document.get("components", {}).get("schemas", {})
    for name in _UNUSED:
        schemas.pop(name, None)
    for schema in schemas.values():
        _plain(schema, keep_title=False)
    for item in document["paths"].values():
        for operation in item.values():
            _plain(operation, keep_title=True)
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _never_null(parameter["schema"])
                _lift_examples(parameter)


def _plain(node: Any, *, keep_title: bool) -> None:
    if isinstance(node, list):
        for child in node:
            _plain(child, keep_title=False)
        return
    if not isinstance(node, dict):
        return
    if not keep_title and isinstance(node.get("title"), str):
        del node["title"]
    _fold_null(node)
    for name, child in node.items():
        if name in ("example", "examples", "default", "enum", "const"):
            continue
        if name == "properties":
            for schema in child.values():
                _plain(schema, keep_title=False)
        else:
            _plain(child, keep_title=False)


def _fold_null(node: dict[str, Any]) -> None:
    """anyOf [X, null] -> X with null among its types, where X is no reference and has one type."""
    choices = node.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return
    others = [choice for choice in choices if choice != {"type": "null"}]
    if len(others) != 1 or not isinstance(others[0].get("type"), str):
        return
    (schema,) = others
    del node["anyOf"]
    for name, value in schema.items():
        node.setdefault(name, value)
    node["type"] = [schema["type"], "null"]
    if "enum" in schema:
        node["enum"] = [*schema["enum"], None]
    if "const" in schema:
        node["enum"] = [node.pop("const"), None]


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is given or not given; it cannot be null."""
    schema = dict(schema)
    kinds = schema.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        rest = [kind for kind in kinds if kind != "null"]
        schema["type"] = rest[0] if len(rest) == 1 else rest
    if "anyOf" in schema:
        rest = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
        schema.pop("anyOf")
        schema |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    if "enum" in schema:
        schema["enum"] = [value for value in schema["enum"] if value is not None]
    if schema.get("default", 0) is None:
        del schema["default"]
    return schema


def _lift_examples(parameter: dict[str, Any]) -> None:
    """A parameter describes itself; its schema need not say the same again."""
    schema = parameter["schema"]
    text = schema.pop("description", None)
    if text and "description" not in parameter:
        parameter["description"] = text
    examples = [value for value in schema.pop("examples", []) if value is not None]
    if examples and "example" not in parameter:
        parameter["example"] = examples[0]
