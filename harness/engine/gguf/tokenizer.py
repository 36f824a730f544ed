"""The metadata of a GGUF file in, a tokenizer out that has what `Prompting` asks of one of transformers.

Texts become tokens, and tokens texts, in llama.cpp, as in whatever the file is deployed with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from harness.engine.gguf.metadata import Metadata

CONTROL, DEFINED = 3, 4
"""Types of tokens: special ones, and others that were added to the vocabulary."""

ROLES = {
    "bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "sep_token": "seperator", "pad_token": "padding",
    "cls_token": "cls", "mask_token": "mask",
}  # fmt: skip
"""The names of special tokens in transformers, and in the keys of GGUF, where one is spelled that way."""

ENDS = ("eos", "eot", "eom")
"""The roles of the tokens that end a turn."""

USUAL = {"llama": {"bos": 1, "eos": 2, "unknown": 0}, "gpt2": {"bos": 11, "eos": 11}}
"""What llama.cpp takes for special tokens of a kind of vocabulary where a file names none."""

UNREADABLE = "\ufffd"
"""What stands for bytes that are no text, as of a token that is a part of a character."""


class Vocabulary(Protocol):
    """What turns texts into tokens and back."""

    def tokenize(self, text: str, special: bool) -> list[int]: ...

    def text(self, tokens: Sequence[int]) -> str: ...


class Added(str):
    """The text of an added token; `special` is whether it is a control token."""

    special: bool


@dataclass(frozen=True)
class Encoded:
    """Tokens of a text."""

    input_ids: list[int]


class GgufTokenizer:
    """The tokenizer of a file.

    Args:
        vocabulary: gives what tokenizes, which loads the model.
    """

    def __init__(self, metadata: Metadata, vocabulary: Callable[[], Vocabulary]) -> None:
        self.metadata = metadata
        self.vocabulary = vocabulary
        self.pieces: list[str] = metadata.values.get("tokenizer.ggml.tokens") or []
        self.chat_template = metadata.text("tokenizer.chat_template")
        self.bos_token_id = self._role("bos")

    def get_chat_template(self) -> str | None:
        return self.chat_template

    @property
    def special_tokens_map(self) -> dict[str, str]:
        """The texts of special tokens, for the chat template."""
        roles = {name: self._role(role) for name, role in ROLES.items()}
        return {name: self.pieces[token] for name, token in roles.items() if token is not None}

    @property
    def end_tokens(self) -> tuple[int, ...]:
        """The tokens that end a turn."""
        return tuple(dict.fromkeys(token for role in ENDS if (token := self._role(role)) is not None)) or (0,)

    @cached_property
    def added_tokens_decoder(self) -> dict[int, Added]:
        """Tokens that are not made of others, by id."""
        found = {}
        types = self.metadata.values.get("tokenizer.ggml.token_type") or []
        for token, (piece, kind) in enumerate(zip(self.pieces, types, strict=False)):
            if kind in (CONTROL, DEFINED):
                found[token] = Added(piece)
                found[token].special = kind == CONTROL
        return found

    @cached_property
    def all_special_ids(self) -> frozenset[int]:
        """The tokens that are no text."""
        named = {token for role in (*ROLES.values(), *ENDS) if (token := self._role(role)) is not None}
        return frozenset(
            named | {token for token, added in self.added_tokens_decoder.items() if added.special}
        )

    @property
    def plain(self) -> int:
        """Any token that is text by itself."""
        texts = enumerate(self.pieces)
        return next((token for token, piece in texts if piece.isascii() and piece.isalpha()), 0)

    def __call__(self, text: str, add_special_tokens: bool = True) -> Encoded:
        return Encoded(self.vocabulary().tokenize(text, add_special_tokens))

    def decode(self, tokens: Sequence[int], skip_special_tokens: bool = False) -> str:
        """Tokens as text."""
        special = self.all_special_ids if skip_special_tokens else ()
        shown = [token for token in tokens if token not in special]
        parts = [self.vocabulary().text([token]) for token in shown]
        if any(UNREADABLE in part for part in parts):  # characters of several tokens
            return self.vocabulary().text(shown)
        return "".join(parts)

    def convert_ids_to_tokens(self, tokens: Sequence[int]) -> list[str]:
        """Tokens as the vocabulary spells them."""
        return [self.pieces[token] for token in tokens]

    def _role(self, role: str) -> int | None:
        usual = USUAL.get(self.metadata.text("tokenizer.ggml.model") or "", {}).get(role)
        token = self.metadata.number(f"tokenizer.ggml.{role}_token_id")
        token = usual if token is None else token
        return token if token in range(len(self.pieces)) else None
