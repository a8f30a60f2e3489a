"""Members that several resources of credit insurance share."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from libs.contracts.money import from_minor
from libs.kit.db import Row
from services.credit.storage.tables import METADATA

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217", examples=["EUR"])]
CompanyId = Annotated[UUID, Path(description="the company's id")]
ConnectionId = Annotated[UUID, Path(description="the insurer connection's id")]
PolicyId = Annotated[UUID, Path(description="the policy's id")]
CompanyFilter = Annotated[UUID | None, Query(description="only those of this company")]
PolicyFilter = Annotated[UUID | None, Query(description="only those under this policy")]


class Input(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


def amount(minor: int | None, currency: str | None) -> str | None:
    """An amount as the API writes it."""
    return None if minor is None or currency is None else from_minor(minor, currency)


def amounts(row: Row, names: Iterable[str], currency: str) -> dict[str, str | None]:
    """Several amounts of a row, all in one currency."""
    return {name: amount(row[name], currency) for name in names}


def picked(row: Row, names: Iterable[str]) -> dict[str, Any]:
    """Members of a row."""
    return {name: row[name] for name in names}


def column_names(table: str) -> list[str]:
    """The declared columns of a table, but the tenant's."""
    return [name for name in METADATA.tables[table].columns.keys() if name != "tenant_id"]  # noqa: SIM118
