"""The base of all rows of a record."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """A part of a record; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
