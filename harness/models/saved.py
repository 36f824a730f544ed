"""Two models on this disk in, what differs in what their configs say of answers out: how they end, ties and quantisation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.models.cause import Cause
from harness.models.json_file import read_json
from harness.models.layout import CONFIG, GENERATION
from harness.models.reference import LocalModel, base_of


def config_causes(first: LocalModel, other: LocalModel) -> Iterator[Cause]:
    """What differs in the configs of two forms; raises ModelError for a config that cannot be read."""
    folders = base_of(first).folder, base_of(other).folder
    configs = [_read(folder / CONFIG) for folder in folders]
    kinds = [_quantised(config) for config in configs]
    if kinds[0] != kinds[1]:
        told = [f"{model.name} {kind or 'is not'}" for model, kind in zip((first, other), kinds, strict=True)]
        yield Cause(
            "quantised",
            f"quantised differently: {told[0]}, {told[1]}",
            "expected of a quantised form: widen the margin to what it may cost, or quantise to more bits",
        )
    ties = [config.get("tie_word_embeddings") for config in configs]
    if None not in ties and ties[0] != ties[1]:
        told = [
            f"{str(tie).lower()} in {model.name}" for model, tie in zip((first, other), ties, strict=True)
        ]
        yield Cause(
            "tied",
            f"tie_word_embeddings is {told[0]} and {told[1]}",
            "save both with the value that the model was trained with",
        )
    ends = [_end_tokens(folder, config) for folder, config in zip(folders, configs, strict=True)]
    if all(ends) and ends[0] != ends[1]:
        told = [
            f"{', '.join(map(str, sorted(end)))} ({model.name})"
            for model, end in zip((first, other), ends, strict=True)
        ]
        yield Cause(
            "end tokens",
            f"other tokens end a turn: {told[0]}, {told[1]}",
            f"copy {GENERATION} of the first form beside the other",
        )


def _read(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _quantised(config: dict[str, Any]) -> str | None:
    """How a model is quantised, in a few words; None if it is not."""
    given = config.get("quantization_config")
    if not isinstance(given, dict):
        return None
    method = str(given.get("quant_method", "quantised"))[:40]
    bits = given.get("bits") or next((size for size in (4, 8) if given.get(f"load_in_{size}bit")), None)
    return f"{method}, {bits} bits" if bits else method


def _end_tokens(folder: Path, config: dict[str, Any]) -> set[int]:
    """The tokens that end a turn by generation_config.json, else by config.json; empty if neither says so."""
    named = _read(folder / GENERATION).get("eos_token_id", config.get("eos_token_id"))
    listed = named if isinstance(named, list) else [named]
    return {token for token in listed if isinstance(token, int)}
