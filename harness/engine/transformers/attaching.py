"""Put an adapter on its base in memory, and prove what it changes there: what it adds, and what it leaves of the base.

A base that an adapter leaves as it was can serve as the baseline, or carry another adapter; any other cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from harness.engine.transformers.acting import State, acts
from harness.engine.transformers.adapters import (
    adapter_tokens,
    put_on,
    read_config,
    saved_tensors,
    with_adapter,
    without_adapter,
)
from harness.engine.transformers.kind import Kind
from harness.engine.transformers.proof import (
    CANNOT_COMPUTE,
    Snapshot,
    embedding_names,
    logits_of,
    probe_rows,
    snapshot,
    what_changed,
)
from harness.engine.transformers.quiet import quiet
from harness.engine.transformers.vocabulary import fit_vocabulary
from harness.errors import ModelError, first_line
from harness.models.origin import trained_on
from harness.models.reference import Adapter


@dataclass
class Base:
    """One copy of a full model in memory; `before` is its state before the first adapter was put on it."""

    model: Any
    tokenizer: Any
    kind: Kind
    before: Snapshot | None = None


@dataclass(frozen=True)
class Attached:
    """An adapter on a base.

    Attributes:
        name: its name in peft.
        changed: what differs from the base even with the adapter switched off; None if nothing does.
        off: the model with the adapter switched off, if that is the base, apart from added tokens; else None.
        acts: whether the adapter was seen to change a logit.
    """

    name: str
    changed: str | None
    off: State | None
    acts: bool


def attach(source: Adapter, base: Base, allowed: Collection[str], note: Callable[[str], None]) -> Attached:
    """Put an adapter on its base.

    Args:
        allowed: keys of its config that the installed peft need not know.
        note: takes what the user should hear.

    Raises:
        ModelError: it cannot be loaded, belongs to another base, or cannot compute.
    """
    config = read_config(source, allowed)
    if origin := trained_on(source):
        note(origin)
    saved = saved_tensors(source)
    with quiet() as heard:
        fit = fit_vocabulary(base.model, config, saved)
        rows = probe_rows(base.model, base.tokenizer, adapter_tokens(config), fit.common)
        base.before = before = base.before or snapshot(base.model, rows)
        with without_adapter(base.model):
            plain = before.logits if before.rows == rows else logits_of(base.model, rows)
        embeddings = embedding_names(base.model)
        name = f"adapter{len(getattr(base.model, 'peft_config', {}))}"
        try:
            model = base.model = put_on(source, base.model, name, saved, fit)
            on = State(model, lambda: with_adapter(model, name), fit.compared)
            off = State(model, lambda: without_adapter(model), fit.compared)
            with off.enter():
                changed = what_changed(before, model)
                # Added tokens alone leave a baseline that is never asked for them.
                is_base = not changed or (
                    fit.resized and fit.kept and not what_changed(before, model, embeddings)
                )
            # Where nothing is the base any more, only the logits that were taken before are left to compare with.
            seen = acts(on, off, rows) if is_base else fit.resized or any(map(on.differs, rows, plain))
        except CANNOT_COMPUTE as error:
            raise ModelError(
                f"{source.name}: this engine cannot run an adapter of type {config.get('peft_type')}: "
                f"{type(error).__name__}: {first_line(error)}"
            ) from error
    for line in heard.lines:
        note(f"{source.name}: at loading: {line[:300]}")
    if fit.untold:
        note(
            f"{source.name}: tokens were added to the {fit.size} of its base, but its file lacks their embeddings in "
            f"{' and '.join(fit.untold)}: there they are the mean of the others, as before training"
        )
    return Attached(name, changed, off if is_base else None, seen)
