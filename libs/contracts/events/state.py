"""What every state has in common."""

from pydantic import BaseModel, ConfigDict


class State(BaseModel):
    """The state of a subject after the fact."""

    model_config = ConfigDict(extra="forbid")
