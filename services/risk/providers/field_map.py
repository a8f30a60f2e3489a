"""Field maps: where a canonical field stands in an answer, told by configuration instead of code.

A pointer is a JSON Pointer (RFC 6901) into the answer; XML is read as plain values first, its attributes under `@name` and the
text beside them under `#text`. A step `[name=value]` takes the first member of a list in which `name` is `value`.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from services.risk.domain.legal.notices import LegalStatus
from services.risk.providers.facts import CanonicalValue, Scale
from services.risk.providers.fields import FIELDS, TRENDS
from services.risk.providers.reading import DATE_SHAPES, dated, integer, listed, number, text
from services.risk.providers.values import NO_DATA, activity, known, money, paydex, portal, score

_STEP = re.compile(r"\[([^=\]]+)=([^\]]*)\]\Z")
_TRUE = frozenset(("true", "1", "yes", "oui", "y", "o"))
_FALSE = frozenset(("false", "0", "no", "non", "n"))
Transform = Literal["percent", "thousands", "absolute", "upper", "digits"]


class ScaleRule(BaseModel):
    """A score's scale."""

    model_config = ConfigDict(extra="forbid")
    min: Decimal
    max: Decimal
    better: Literal["high", "low"] = "high"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min >= self.max:
            raise ValueError("min must be below max")
        return self


class FieldRule(BaseModel):
    """Where one field stands and how it is written."""

    model_config = ConfigDict(extra="forbid")
    pointer: str = Field(description="JSON Pointer into the answer", examples=["/indiscore/note"])
    part: str | None = Field(None, description="which call's answer, the first one's if not said")
    transforms: list[Transform] = Field([], max_length=5)
    scale: ScaleRule | None = Field(None, description="of a score")
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$", description="of an amount")
    currency_pointer: str | None = Field(None, description="where the currency of an amount stands")
    dates: Annotated[str, Field(description=f"how dates are written: {', '.join(DATE_SHAPES)}")] = "iso"
    values: dict[str, str] = Field({}, description="their word → ours; `*` for all others")
    label_pointer: str | None = Field(None, description="of an activity")
    nomenclature: str | None = Field(None, description="of an activity, e.g. NAFRev2")
    as_of_pointer: str | None = Field(None, description="the date of the statement")

    @field_validator("pointer", "currency_pointer", "label_pointer", "as_of_pointer")
    @classmethod
    def _a_pointer(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("/"):
            raise ValueError("a JSON Pointer begins with /")
        return value

    @field_validator("dates")
    @classmethod
    def _a_shape(cls, value: str) -> str:
        if value not in DATE_SHAPES:
            raise ValueError(f"expected one of: {', '.join(DATE_SHAPES)}")
        return value


FieldMap = dict[str, FieldRule]


def check_map(rules: FieldMap) -> FieldMap:
    """Rules that fit their fields. Raises ValueError saying which does not and why."""
    for name, rule in rules.items():
        if name not in FIELDS:
            raise ValueError(f"{name!r} is not a canonical field; there are: {', '.join(FIELDS)}")
        kind = FIELDS[name].kind
        if kind == "score" and rule.scale is None:
            raise ValueError(f"{name} is a score: say its scale {{min, max, better}}")
        if kind == "money" and rule.currency is None and rule.currency_pointer is None:
            raise ValueError(f"{name} is an amount: say its currency or where it stands (currency_pointer)")
        if kind == "enum":
            allowed = TRENDS if name == "trend" else tuple(LegalStatus)
            wrong = sorted(set(rule.values.values()) - set(allowed))
            if not rule.values or wrong:
                raise ValueError(f"{name} needs `values` leading to: {', '.join(allowed)}")
    return rules


def resolve(document: Any, pointer: str) -> Any:
    """What a pointer leads to, None if there is nothing."""
    for raw in pointer.split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        chosen = _STEP.match(step)
        if chosen:
            document = next(
                (
                    one
                    for one in listed(document)
                    if isinstance(one, dict) and str(one.get(chosen[1])) == chosen[2]
                ),
                None,
            )
        elif isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and re.fullmatch(r"-?\d{1,6}", step):
            position = int(step)
            document = document[position] if -len(document) <= position < len(document) else None
        else:
            return None
    if isinstance(document, dict) and "#text" in document:
        return document["#text"]
    return document


def read(
    name: str,
    rule: FieldRule,
    document: Any,
    *,
    portal_hosts: tuple[str, ...] = (),
    as_of: date | None = None,
) -> tuple[dict[str, CanonicalValue], str | None]:
    """A field's value by its rule (a Paydex brings its days along), and a warning where the answer was not understood."""
    found = resolve(document, rule.pointer)
    if rule.as_of_pointer is not None:
        as_of = dated(resolve(document, rule.as_of_pointer), rule.dates) or as_of
    if found is None or found == "":
        return {name: NO_DATA}, None
    raw = _transformed(found, rule)
    kind = FIELDS[name].kind
    value = _value(name, rule, document, raw, portal_hosts, as_of)
    if value is None:
        return {name: NO_DATA}, f"{name}: {str(found)[:40]!r} is not understood as {kind}"
    if name == "paydex":
        return paydex(integer(raw), as_of=as_of), None
    return {name: value}, None


def _value(
    name: str, rule: FieldRule, document: Any, raw: Any, portal_hosts: tuple[str, ...], as_of: date | None
) -> CanonicalValue | None:
    match FIELDS[name].kind:
        case "score" if rule.scale is not None:
            figure = number(raw)
            scale = Scale(rule.scale.min, rule.scale.max, rule.scale.better)
            return None if figure is None else score(figure, scale, as_of=as_of)
        case "money":
            figure = number(raw)
            at = rule.currency_pointer
            currency = text(resolve(document, at)) if at is not None else rule.currency
            return None if figure is None else money(figure, currency, raw=raw, as_of=as_of)
        case "share":
            figure = number(raw)
            return known(figure, raw=raw, as_of=as_of) if figure is not None and 0 <= figure <= 1 else None
        case "integer":
            whole = integer(raw)
            return None if whole is None else known(whole, raw=raw, as_of=as_of)
        case "date":
            day = dated(raw, rule.dates)
            return None if day is None else known(day, raw=raw)
        case "boolean":
            said = rule.values.get(str(raw), str(raw)).lower()
            return known(said in _TRUE, raw=raw, as_of=as_of) if said in _TRUE | _FALSE else None
        case "enum":
            word = rule.values.get(str(raw), rule.values.get("*"))
            return None if word is None or word == "unknown" else known(word, raw=raw, as_of=as_of)
        case "activity":
            label = text(resolve(document, rule.label_pointer)) if rule.label_pointer else None
            return activity(text(raw), label, rule.nomenclature, on=as_of)
        case "url":
            return portal(text(raw), portal_hosts)
    said_text = text(raw)
    return None if said_text is None else known(rule.values.get(said_text, said_text), raw=raw, as_of=as_of)


def _transformed(value: Any, rule: FieldRule) -> Any:
    for transform in rule.transforms:
        figure = number(value)
        match transform:
            case "percent" if figure is not None:
                value = figure / 100
            case "percent":
                stripped = number(str(value).rstrip("% "))
                value = value if stripped is None else stripped / 100
            case "thousands" if figure is not None:
                value = figure * 1000
            case "absolute" if figure is not None:
                value = abs(figure)
            case "upper":
                value = str(value).upper()
            case "digits":
                value = re.sub(r"\D", "", str(value))
    return value


def from_options(raw: Mapping[str, Any]) -> FieldMap:
    """A field map that was checked before."""
    return {name: FieldRule.model_validate(rule) for name, rule in raw.items()}
