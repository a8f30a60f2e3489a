"""Reference data: the codes of the API with their labels, for screens and documents."""

from typing import Annotated

from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, Field

from libs.kit.problems import invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.gateway.domain.labels import ENGLISH, choose_language, translated
from services.gateway.storage.reference import labels

router = Router("Reference")
_CACHED = {"Cache-Control": "private, max-age=3600", "Vary": "Accept-Language"}


class ReferenceIndex(BaseModel):
    """What there are labels for."""

    enums: list[str] = Field(examples=[["item_kind", "limit_state"]])
    languages: list[str] = Field(examples=[["en", "fr"]])


class Label(BaseModel):
    """A code in words."""

    code: str = Field(examples=["credit_note"])
    label: str = Field(examples=["Avoir"])
    language: str = Field(description="`en` where the wanted language has no word", examples=["fr"])


class Enum(BaseModel):
    """The codes of one kind."""

    enum: str = Field(examples=["item_kind"])
    values: list[Label]


@router.get(
    "/reference", response_model=ReferenceIndex, summary="List the reference data", openapi_extra=scope("")
)
async def list_reference(ctx: Ctx) -> Response:
    """The kinds of codes and the languages there are labels in."""
    words = labels()
    return reply({"enums": sorted(words[ENGLISH]), "languages": sorted(words)}, headers=_CACHED)


@router.get("/reference/{enum}", response_model=Enum, summary="Show labels", openapi_extra=scope(""))
async def get_reference(
    ctx: Ctx,
    enum: Annotated[str, Path(description="one of GET /v1/reference", examples=["item_kind"])],
    language: Annotated[
        str | None,
        Query(pattern=r"^[a-z]{2}(-[A-Z]{2})?$", description="fr, pt-BR …; goes before Accept-Language"),
    ] = None,
    accept_language: Annotated[str | None, Header(description="in the order of your wishes")] = None,
) -> Response:
    """The codes of one kind with labels in the wanted language; English stands in for what is missing, and
    `Content-Language` says which languages are in the answer."""
    words = labels()
    if enum not in words[ENGLISH]:
        raise not_found("reference data called", enum)
    if language is not None and language not in words:
        raise invalid("?language", "language_unknown", f"expected one of {', '.join(sorted(words))}")
    chosen = language or choose_language(accept_language or "", words)
    values = translated(words[ENGLISH][enum], words[chosen].get(enum, {}), chosen)
    spoken = ", ".join(sorted({spoken for _, _, spoken in values}))
    body = {
        "enum": enum,
        "values": [{"code": code, "label": label, "language": spoken} for code, label, spoken in values],
    }
    return reply(body, headers={**_CACHED, "Content-Language": spoken})
