"""Names what is wrong in a row that could not be read: every field at fault, wherever it is nested."""

from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import Raw, Struct

from services.ledger.domain.intake.checks import escape
from services.ledger.domain.intake.errors import Fault
from services.ledger.domain.intake.field_types import alternatives, field_types, refusal_of

_NULL = b"null"


def faults_of(model: type[Struct], token: bytes, at: str = "") -> list[Fault]:
    """The faults of an object (well-formed JSON) against its model, `at` being the pointer of the object itself."""
    try:
        tokens = {name: bytes(raw) for name, raw in msgspec.json.decode(token, type=dict[str, Raw]).items()}
    except msgspec.ValidationError:
        return [Fault(at, "object_expected", "expected an object")]
    types = field_types(model)
    faults = [
        Fault(f"{at}/{escape(name)}", "unknown_field", "expected only the documented fields")
        for name in tokens
        if name not in types
    ]
    required = {field.name for field in msgspec.structs.fields(model) if field.required}
    for name, hint in types.items():
        value = tokens.get(name, _NULL)
        if value != _NULL:
            faults += _faults_of_value(hint, value, f"{at}/{name}")
        elif name in required:
            faults.append(Fault(f"{at}/{name}", "required", "this field is required"))
    return faults


def _faults_of_value(hint: Any, token: bytes, at: str) -> list[Fault]:
    model, listed = _model_in(hint)
    if model is not None and not listed:
        return faults_of(model, token, at)
    if model is not None and token.startswith(b"["):
        members = msgspec.json.decode(token, type=list[Raw])
        inside = [
            fault
            for n, member in enumerate(members)
            for fault in faults_of(model, bytes(member), f"{at}/{n}")
        ]
        if inside:
            return inside
    try:
        msgspec.json.decode(token, type=hint)
    except msgspec.ValidationError:
        return [Fault(at, *refusal_of(hint))]
    return []


def _model_in(hint: Any) -> tuple[type[Struct] | None, bool]:
    """The row model a field holds, and whether it holds a list of them."""
    part = alternatives(hint)[0]
    if get_origin(part) is Annotated:
        part = get_args(part)[0]
    listed = get_origin(part) is list
    if listed:
        part = get_args(part)[0]
    return (part, listed) if isinstance(part, type) and issubclass(part, Struct) else (None, False)
