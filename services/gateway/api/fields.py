"""What the gateway's routers share: an id in a path, a body that refuses unknown members, the ETag that was read."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Path
from pydantic import BaseModel, ConfigDict

Id = Annotated[UUID, Path(description="the object's id")]
IfMatch = Annotated[
    str | None, Header(description="the ETag you read; 412 when the object has changed since")
]


class Input(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")
