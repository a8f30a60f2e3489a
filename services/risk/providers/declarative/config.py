"""What a tenant says of a provider that we have no adapter for: how to log in, what to call, where each field stands."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from services.risk.providers.base import Options
from services.risk.providers.field_map import FieldMap, check_map

PLACEHOLDERS = (
    "registration_number",
    "siren",
    "country",
    "name",
    "vat_number",
    "provider_reference",
    "since",
    "cursor",
)
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
Pointer = Annotated[
    str, Field(pattern=r"^/", description="JSON Pointer into the answer", examples=["/companies"])
]
Meaning = Literal[
    "not_found",
    "auth",
    "entitlement",
    "rate_limited",
    "unavailable",
    "rejected",
    "already",
    "no_data",
    "not_ready",
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Auth(_Model):
    """How calls are authenticated, with the connection's credentials `user` and `secret`."""

    kind: Literal["none", "basic", "bearer", "api_key", "query_token", "oauth_cc"] = "bearer"
    header: str = Field("X-Api-Key", pattern=r"^[A-Za-z0-9-]{1,60}$", description="of `api_key`")
    parameter: str = Field("token", pattern=r"^[\w-]{1,60}$", description="of `query_token`")
    token_path: str | None = Field(
        None, description="of `oauth_cc`: where a token is asked for, below the base URL"
    )
    scope: str | None = Field(None, description="of `oauth_cc`")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "oauth_cc" and not self.token_path:
            raise ValueError("oauth_cc needs a token_path")
        return self


class Call(_Model):
    """One HTTP call. `${…}` stands for a fact of the company or of the paging; values are escaped for where they stand."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str = Field(description="below the base URL", examples=["companies/${siren}"])
    query: dict[str, str] = Field({}, description="query parameters")
    headers: dict[str, str] = Field({}, description="besides those of the log-in")
    body: str | None = Field(None, description="a template of JSON or XML")
    content_type: Literal["application/json", "application/xml", "text/xml"] = "application/json"
    billed: bool = Field(False, description="whether the call is charged")

    @field_validator("path")
    @classmethod
    def _below(cls, value: str) -> str:
        if (
            "://" in value
            or value.startswith("//")
            or ".." in value.split("/")
            or "?" in value
            or "#" in value
        ):
            raise ValueError("a path below the base URL, without query: parameters stand in `query`")
        return value

    @field_validator("headers")
    @classmethod
    def _plain(cls, value: dict[str, str]) -> dict[str, str]:
        wrong = [
            name for name in value if not re.fullmatch(r"[A-Za-z0-9-]{1,60}", name) or name.lower() == "host"
        ]
        if wrong or any("\n" in text or "\r" in text for text in value.values()):
            raise ValueError("header names are letters, digits and dashes, and values are one line")
        return value

    @model_validator(mode="after")
    def _known_placeholders(self) -> Self:
        texts = [self.path, self.body or "", *self.query.values(), *self.headers.values()]
        wrong = sorted({name for text in texts for name in _PLACEHOLDER.findall(text)} - set(PLACEHOLDERS))
        if wrong:
            raise ValueError(f"unknown placeholder {', '.join(wrong)}; there are: {', '.join(PLACEHOLDERS)}")
        return self


class Rows(_Model):
    """A list in an answer, and where its members' keys stand (pointers into one member)."""

    list: Pointer
    registration_number: Pointer | None = None
    reference: Pointer | None = None
    name: Pointer | None = None
    city: Pointer | None = None
    postal_code: Pointer | None = None

    @model_validator(mode="after")
    def _identified(self) -> Self:
        if self.registration_number is None and self.reference is None:
            raise ValueError("say where registration_number or reference stands, or nobody can be told apart")
        return self


class Search(_Model):
    """How companies are looked for."""

    call: Call
    by_name: Call | None = Field(None, description="when there is no number to look for")
    rows: Rows


class Members(_Model):
    """How the portfolio is listed, all at once."""

    call: Call
    rows: Rows


class Changes(_Model):
    """How the provider tells of changes; `${since}` is a date."""

    call: Call
    rows: Rows
    id: Pointer
    kind: Pointer | None = None
    kinds: dict[str, str] = Field({}, description="their word → score, legal, accounts, identity, address, …")
    on: Pointer | None = None


class Failure(_Model):
    """What a status, or a text in an answer, means."""

    status: int | None = Field(None, ge=200, le=599)
    pointer: Pointer | None = None
    equals: str | None = Field(None, description="of the pointer; anything if not said")
    means: Meaning

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.status is None and self.pointer is None:
            raise ValueError("say a status, a pointer, or both")
        return self


class DeclarativeOptions(Options):
    """A provider described."""

    provider: str = Field(
        "declarative", pattern=r"^[a-z][a-z0-9_]{1,40}$", description="its key in histories and reports"
    )
    format: Literal["json", "xml"] = "json"
    auth: Auth = Auth()
    fetch: dict[str, Call] = Field(min_length=1, max_length=5, description="the calls of a reading, by part")
    fields: FieldMap = Field(min_length=1, description="where each canonical field stands")
    as_of: Pointer | None = Field(None, description="the provider's date, in the first part")
    as_of_dates: str = Field("iso", description="how that date is written")
    search: Search | None = None
    add: Call | None = None
    remove: Call | None = None
    members: Members | None = None
    changes: Changes | None = None
    test: Call | None = Field(
        None, description="a harmless call; else the search's, for a number that cannot exist"
    )
    failures: list[Failure] = Field([], max_length=50)
    portal_hosts: list[str] = Field([], max_length=10, description="hosts that portal links may lead to")
    countries: list[str] = Field([], max_length=300)
    calls_per_second: int = Field(5, ge=1, le=1000)

    @field_validator("fields")
    @classmethod
    def _fits(cls, value: FieldMap) -> FieldMap:
        return check_map(value)

    @model_validator(mode="after")
    def _parts_exist(self) -> Self:
        for name, rule in self.fields.items():
            if rule.part is not None and rule.part not in self.fetch:
                raise ValueError(
                    f"fields.{name} speaks of the part {rule.part!r}; there are: {', '.join(self.fetch)}"
                )
        if "portal_url" in self.fields and not self.portal_hosts:
            raise ValueError("portal_url needs portal_hosts: links lead nowhere else")
        return self


def fill(template: str, facts: Mapping[str, str], escape: Callable[[str], str]) -> str:
    """A template with its placeholders filled, each value escaped for where it stands."""
    return _PLACEHOLDER.sub(lambda match: escape(facts.get(match[1], "")), template)
