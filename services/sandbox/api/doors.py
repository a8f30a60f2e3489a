"""The door behind which the stand-in insurer will stand. No connection can be made yet, and it says so."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.kit.problems import Problem
from libs.kit.route import Ctx, Router, scope

router = Router("Sandbox")
ConnectionId = Annotated[UUID, Path(description="an insurer connection's id")]


class Behaviour(BaseModel):
    """How a stand-in shall answer from now on."""

    model_config = ConfigDict(extra="forbid")
    mode: Literal["normal", "silent", "timeout", "error", "garbage"] = Field(examples=["timeout"])


class Taken(BaseModel):
    """What the stand-in will do."""

    connection_id: UUID
    deliver: str = Field(description="how it will tell", examples=["webhook"])


@router.post(
    "/sandbox/insurer/{connection_id}/behaviour",
    status_code=204,
    summary="Steer the stand-in insurer",
    openapi_extra=scope("admin"),
)
async def steer_sandbox_insurer(ctx: Ctx, connection_id: ConnectionId, body: Behaviour) -> Response:
    """Not before an insurer is connected: 409 `no_connection`."""
    raise _no_connection()


@router.post(
    "/sandbox/insurer/{connection_id}/decisions",
    status_code=202,
    response_model=Taken,
    summary="Let the stand-in insurer decide",
    openapi_extra=scope("admin"),
)
async def create_sandbox_insurer_decision(
    ctx: Ctx, connection_id: ConnectionId, body: dict[str, Any]
) -> Response:
    """Not before an insurer is connected: 409 `no_connection`."""
    raise _no_connection()


def _no_connection() -> Problem:
    return Problem(409, "no_connection", "This release connects no insurer: there is nothing to steer.")
