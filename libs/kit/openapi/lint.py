"""What a document must have for somebody to build against it alone."""

import re
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from openapi_spec_validator import OpenAPIV31SpecValidator

from libs.kit.openapi.document import operations
from libs.kit.route import SCOPE

_VERB_NOUN = re.compile(r"[a-z]+(_[a-z0-9]+)+")
_EVIDENT_FORMATS = {"uuid", "date", "date-time", "email", "uri", "decimal", "binary"}


def lint(document: dict[str, Any]) -> list[str]:
    """Every shortcoming, in the words of who must mend it."""
    found = [
        f"{_where(error)}: {_first_line(error.message)}"
        for error in OpenAPIV31SpecValidator(document).iter_errors()
    ]
    for path, method, operation in operations(document):
        here = f"{method.upper()} {path}"
        found += [f"{here}: {complaint}" for complaint in _operation(method, operation, document)]
    for name, schema in document["components"]["schemas"].items():
        found += [f"schema {name}: {complaint}" for complaint in _schema(schema)]
    return found


def _operation(method: str, operation: dict[str, Any], document: dict[str, Any]) -> list[str]:
    found = []
    name = operation["operationId"]
    if not _VERB_NOUN.fullmatch(name):
        found.append(f"the operation id {name} is not verb_noun")
    if operation.get("summary", "") in ("", name.replace("_", " ").title()):
        found.append("it has no summary")
    if not operation.get("description", "").partition("\n\nNeeds the scope")[0].strip():
        found.append("it has no description")
    if not operation.get("tags"):
        found.append("it has no tag")
    if SCOPE not in operation:
        found.append("it does not say which scope it needs")
    found += [
        f"the parameter {parameter['name']} has neither description nor example"
        for parameter in operation.get("parameters", ())
        if "$ref" not in parameter and not _evident(parameter["schema"], parameter)
    ]
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            found += [f"{status}: {complaint}" for complaint in _body(answer, status, document)]
    if "requestBody" in operation:
        found += [f"request: {complaint}" for complaint in _examples(operation["requestBody"], document)]
    if method != "get" and "409" not in operation["responses"]:
        found.append("it declares no 409")
    return found


def _body(answer: dict[str, Any], status: str, document: dict[str, Any]) -> list[str]:
    if status == "204":
        return ["it has a body"] if answer.get("content") else []
    content = answer.get("content", {})
    if not content:
        return ["it declares no body"]
    if not content.get("application/json", {"schema": True}).get("schema"):
        return ["its body has no schema (response_model)"]
    return _examples(answer, document)


def _examples(body: dict[str, Any], document: dict[str, Any]) -> list[str]:
    media = body.get("content", {}).get("application/json")
    if media is None:
        return []
    if "example" not in media and "examples" not in media:
        return ["it has no example"]
    values = [media["example"]] if "example" in media else [e["value"] for e in media["examples"].values()]
    whole = {**media.get("schema", {}), "components": document["components"]}
    errors = [best_match(Draft202012Validator(whole).iter_errors(value)) for value in values]
    return [
        f"its example does not fit its schema: at /{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in errors
        if error is not None
    ]


def _schema(schema: dict[str, Any]) -> list[str]:
    return [
        f"{name} has neither description nor example"
        for name, member in schema.get("properties", {}).items()
        if not _evident(member, member)
    ]


def _evident(schema: dict[str, Any], holder: dict[str, Any]) -> bool:
    """Whether a reader knows what to put there: said in words, shown by an example, or plain from the type."""
    if holder.get("description") or "example" in holder or holder.get("examples"):
        return True
    kinds = schema.get("type")
    kinds = set(kinds) if isinstance(kinds, list) else {kinds}
    plain_text = "string" in kinds and not (
        schema.get("format") in _EVIDENT_FORMATS
        or "enum" in schema
        or "const" in schema
        or "pattern" in schema
    )
    return not plain_text


def _where(error: Any) -> str:
    return "/" + "/".join(str(part) for part in error.absolute_path)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
