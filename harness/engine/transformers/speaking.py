"""A model and the one that speaks for it in, the tokenizer that it is asked through out."""

from __future__ import annotations

from typing import Any

from harness.engine.settings import Settings
from harness.engine.transformers.gguf import ensure_embedded
from harness.engine.transformers.tokenizing import begins_twice, bounded, load_tokenizer, same_numbering
from harness.errors import ModelError
from harness.models.files import has_tokenizer
from harness.models.reference import LocalModel, LocalPair, base_of
from harness.progress import Log
from harness.spelling import option


def speaker_of(sources: LocalPair, settings: Settings) -> LocalModel | None:
    """The model whose tokenizer and template both are asked through; None leaves each its own."""
    return None if settings.template == "own" else sources.of(settings.template)


def tokenizer_of(
    source: LocalModel, speaker: LocalModel | None, settings: Settings, say: Log, note: Log
) -> Any:
    """The tokenizer that a model is asked through: the speaker's, its own, or, for an adapter, its base's.

    Args:
        note: takes what the user should hear.

    Raises:
        ModelError: there is none, or it numbers tokens otherwise than the model.
    """
    speaker, own = speaker or source, own_tokenizer(source, settings, say)
    tokenizer = own if speaker == source else own_tokenizer(speaker, settings, say)
    if tokenizer is None:
        raise ModelError(
            f"{speaker.name}: no tokenizer in {base_of(speaker).folder}; was a checkpoint saved without one?\n"
            "  copy the files of the tokenizer that it was trained with there, or use the other model's: "
            f"{option('template', 'baseline')} (or tuned)"
        )
    if speaker != source and own is not None and not same_numbering(tokenizer, own):
        raise ModelError(
            f"{option('template', settings.template)}: {source.name} and {speaker.name} number their tokens "
            "differently, so they cannot share a tokenizer"
        )
    with bounded(source.name):
        if begins_twice(tokenizer):
            note(f"{source.name}: its chat template begins every prompt with the start token twice")
    if "strftime_now" in str(tokenizer.chat_template or ""):
        note(f"{source.name}: its chat template inserts today's date; it is shown 1 January 2026 on any day")
    return tokenizer


def own_tokenizer(source: LocalModel, settings: Settings, say: Log) -> Any:
    """The tokenizer in a model's folder, or else in its base's; None without one."""
    base = base_of(source)
    if base.embedded:
        ensure_embedded(say)
    folder = next(filter(has_tokenizer, (source.folder, base.folder)), None)
    return folder and load_tokenizer(source.name, folder, settings.allow_remote_code)
