"""A model's configs in, the length of its context and the tokens that end a turn out."""

from __future__ import annotations

from typing import Any


def context_length(config: Any) -> int | None:
    """The most tokens that a model reads: as its config says, or the original length times the scaling of its positions."""
    length: int | None = getattr(config, "max_position_embeddings", None)
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None)
    if length is None or not isinstance(rope, dict):
        return length
    lengths = [length]
    for scaling in [
        rope,
        *filter(lambda value: isinstance(value, dict), rope.values()),
    ]:  # some by layer type
        factor, original = scaling.get("factor"), scaling.get("original_max_position_embeddings")
        if isinstance(factor, int | float):
            lengths.append(round(factor * (original or length)))
    return max(lengths)


def end_tokens(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """The tokens that end a turn by the generation config and the tokenizer, as far as the model can write them."""
    return written_ends(model.generation_config, tokenizer, len(model.get_input_embeddings().weight))


def written_ends(generation: Any, tokenizer: Any, size: int) -> tuple[int, ...]:
    """The same by a generation config, of a model that knows the first `size` tokens."""
    listed = getattr(generation, "eos_token_id", None)
    named = [*(listed if isinstance(listed, list) else [listed]), tokenizer.eos_token_id]
    known = range(size)
    return tuple(dict.fromkeys(token for token in named if isinstance(token, int) and token in known)) or (0,)
