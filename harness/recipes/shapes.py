"""The shapes that recipes are made of: numbers, corpora, and keys that may be left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

from pydantic import Field, create_model

from harness.documents.validate import Shape, Text

S = TypeVar("S")
M = TypeVar("M", bound=Shape)

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(gt=0)]
Answers = Literal["corpus", "baseline"]


class CorpusFormat(Shape):
    """Prompts and answers to train on: a JSON Lines file with `prompt` and `answer`."""

    file: Text = Field(description="The file, from the recipe's folder.")
    split: Text | None = Field(None, description="Only the lines whose `split` is this.")
    limit: Count | None = Field(None, description="Only the first so many of these.")


class GeneralFormat(CorpusFormat):
    """General data that stands for what must not be forgotten."""

    answers: Answers = Field("corpus", description="Whose answers: the file's, or the baseline's own.")
    max_new_tokens: Count = Field(64, description="The longest answer of the baseline's own.")

    def most(self) -> int | None:
        """How many of the examples are used, the first ones; None for all of them."""
        return None


@dataclass(frozen=True, eq=False)
class Key(Generic[S]):
    """A key that may be left out.

    Attributes:
        shape: the type of its value, perhaps with bounds, such as `Weight`.
        about: its description in the schema.
        called: the name of the part in messages, if it is not the key itself.
    """

    name: str
    shape: Any
    about: str
    called: str = ""

    def of(self, holder: Shape) -> S | None:
        """The value of this key in `holder`, None if it was left out."""
        return cast("S | None", getattr(holder, self.name))


def with_keys(name: str, shape: type[M], keys: Iterable[Key[Any]]) -> type[M]:
    """`shape` under another name and with more keys, in their order, each of which may be left out."""
    fields: dict[str, Any] = {
        key.name: (key.shape | None, Field(None, description=key.about)) for key in keys
    }
    return create_model(name, __base__=shape, __doc__=shape.__doc__, **fields)
