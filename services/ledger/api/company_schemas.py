"""Companies and their credit file on the wire."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.ledger.api.fields import CountryCode, Input


class Company(BaseModel):
    """A legal entity that buys. Several customers, of several business units, may stand before one company."""

    id: UUID
    name: str = Field(examples=["Aciéries du Rhône SA"])
    country: str | None = Field(description="ISO 3166 alpha-2", examples=["FR"])
    registration_number: str | None = Field(description="the SIREN in France", examples=["732829320"])
    vat_number: str | None = Field(examples=["FR44732829320"])
    lei: str | None = Field(description="ISO 17442", examples=["969500WU8KVE8U3TL824"])
    private: bool = Field(description="has no identifier and stands for one customer alone")
    parent_id: UUID | None = Field(description="the company right above it in its group", examples=[None])
    group_id: UUID = Field(description="the topmost company of its group; itself where it has no parent")
    merged_into_id: UUID | None = Field(
        description="the company it ended in; null while it lives", examples=[None]
    )
    created_at: datetime
    updated_at: datetime


class CompanyUpdate(Input):
    """What to change; members left out stay, null removes an identifier."""

    name: str = Field(default_factory=str, min_length=1, max_length=300, examples=["Aciéries du Rhône SA"])
    country: CountryCode | None = None
    registration_number: str | None = Field(None, max_length=128, examples=["732 829 320"])
    vat_number: str | None = Field(None, max_length=128, examples=["FR44732829320"])
    lei: str | None = Field(None, max_length=128, examples=["969500WU8KVE8U3TL824"])


class CompanyMerge(Input):
    """Which company goes on."""

    into: UUID = Field(description="the company that goes on")


class CompanyParent(Input):
    """The company above."""

    parent_id: UUID | None = Field(description="null: the company stands on its own")


class CreditCommentCreate(Input):
    """A remark for the credit file."""

    text: str = Field(min_length=1, max_length=10_000, examples=["Bank confirms the new credit line."])


class CreditComment(BaseModel):
    """A remark in the credit file."""

    id: UUID
    company_id: UUID
    text: str = Field(examples=["Bank confirms the new credit line."])
    author_user_id: UUID | None = Field(description="null when written with a key bound to nobody")
    created_at: datetime
    updated_at: datetime


class CreditDocumentCreate(Input):
    """A document for the credit file."""

    file_id: UUID = Field(description="from POST /v1/files")
    title: str = Field(min_length=1, max_length=300, examples=["Annual accounts 2025"])


class CreditDocument(BaseModel):
    """A document in the credit file."""

    id: UUID
    company_id: UUID
    file_id: UUID
    title: str = Field(examples=["Annual accounts 2025"])
    created_at: datetime
    updated_at: datetime
