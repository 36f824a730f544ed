"""Two forms of one model and their answers in, how alike they are and, from what is found in the forms, why not, out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.engine.abilities import SAME_FLOATS, Tokenizes, unlike_floats
from harness.engine.prompts import request
from harness.engine.requests import Engine, Generated, LogLikelihood, Request
from harness.errors import EngineError
from harness.evaluation.agreement import Differing, agreement, differences, differing
from harness.evaluation.form_prompts import prompt_cause
from harness.evaluation.suite_run import SuiteRun
from harness.models.cause import Cause
from harness.models.reference import Adapter, Endpoint, LocalModel, Model
from harness.models.saved import config_causes
from harness.reporting.equal_rows import AgreementRow, CauseRow, EqualRow
from harness.versions import needed
from harness.wording import count

NOISE = 1e-3
"""Nats a token by which log-probabilities of equal weights may differ, by the order in which sums are rounded."""

LIKE_BASE = 0.8
"""The share of differing answers that must be the base's for that to explain them."""

LEAST = 3
"""Fewer differing answers say nothing of how most of them differ."""


@dataclass(frozen=True)
class Form:
    """One form of a model; `model` is None where no reference names it."""

    name: str
    engine: Engine
    model: Model | None = None


def compared(
    runs: Mapping[str, SuiteRun], first: Form, other: Form, base: Callable[[LocalModel], Engine]
) -> EqualRow:
    """How alike two forms answered the suites of a run, and why not.

    Args:
        runs: by suite, the answers of the first form as the baseline's, and of the other as the tuned model's.
        base: opens the base of an adapter.

    Raises:
        ModelError, EngineError: a form, or an adapter's base, cannot be read or asked.
    """
    suites = {name: agreement(run, first.engine) for name, run in runs.items()}
    found = {name: differing(run) for name, run in runs.items()}
    parted = [
        row
        for name, items in found.items()
        if items
        for row in differences(name, items, first.engine, other.engine)
    ]
    causes: list[Cause] = []
    if any(map(_differ, suites.values())):
        items = [item for several in found.values() for item in several]
        causes = list(_causes(runs.values(), items, first, other, base))
    return EqualRow(suites=suites, differences=parted, causes=list(map(CauseRow.of, causes)))


def _differ(row: AgreementRow) -> bool:
    return (row.same is not None and row.same < row.probes) or (row.nats is not None and row.nats[1] > NOISE)


def _asked(runs: Iterable[SuiteRun]) -> Iterator[Request]:
    for run in runs:
        yield from (request(run.suite, probe) for probe in run.asked_of_both)


def _causes(
    runs: Collection[SuiteRun],
    items: Sequence[Differing],
    first: Form,
    other: Form,
    base: Callable[[LocalModel], Engine],
) -> Iterator[Cause]:
    """What differs between two forms: in what they read, their files, the floats that they compute in."""
    for cause in (_begun(runs, first, other), prompt_cause(list(_asked(runs)), first.engine, other.engine)):
        if cause:
            yield cause
    if isinstance(first.model, LocalModel) and isinstance(other.model, LocalModel):
        with needed():
            from harness.engine.transformers.form_weights import weight_causes

        yield from weight_causes(first.model, other.model)
        for cause in config_causes(first.model, other.model):
            yield _with_ends(cause, items)
    else:
        for form, beside in ((first, other), (other, first)):
            if isinstance(form.model, Adapter) and (
                cause := _like_base(items, form is first, beside, base(form.model.base))
            ):
                yield cause
    yield from _computed(first, other)


def _begun(runs: Iterable[SuiteRun], first: Form, other: Form) -> Cause | None:
    """A form that measures texts from their second token on, as a server may, where the other has a start token before them."""
    if all(isinstance(form.engine, Tokenizes) for form in (first, other)):
        return None  # their prompts tell
    pairs = [
        (before.tokens, after.tokens)
        for run in runs
        for probe in run.asked_of_both
        if isinstance(before := run.answers["baseline"][probe.id], LogLikelihood)
        and isinstance(after := run.answers["tuned"][probe.id], LogLikelihood)
    ]
    for form, beside, fewer in ((other, first, 1), (first, other, -1)):
        if pairs and all(before - after == fewer for before, after in pairs):
            return Cause(
                "start token",
                f"{form.name} measures {count(len(pairs), 'text')} from the second token on, one fewer than {beside.name}, "
                "which puts a start token before each",
                "name the model's tokenizer, by which texts go as tokens with a start token: ?tokenizer=FOLDER"
                if isinstance(form.model, Endpoint) and form.model.scheme.startswith("http")
                else "put the start token before texts there too",
            )
    return None


def _like_base(items: Sequence[Differing], first: bool, beside: Form, base: Engine) -> Cause | None:
    """Whether the form beside an adapter answers as the adapter's base does.

    Args:
        first: whether the adapter is the first form.
    """
    if len(items) < LEAST:
        return None
    try:
        answers = base.ask([item.request for item in items])
    except EngineError:  # as where the base has no chat template
        return None
    like = sum(
        isinstance(answer, Generated) and answer.text == (item.other if first else item.first).text
        for item, answer in zip(items, answers, strict=True)
    )
    if like < LIKE_BASE * len(items):
        return None
    return Cause(
        "not applied",
        f"{beside.name} answers as the adapter's base, {base.label}: {like} of the {count(len(items), 'answer')} that differ are "
        "the base's, word for word",
        "check that it was merged, or is served, with the adapter",
    )


def _with_ends(cause: Cause, items: Sequence[Differing]) -> Cause:
    """Of other tokens that end a turn, how many answers are the other's beginning."""
    texts = [(item.first.text, item.other.text) for item in items]
    ends = sum(first.startswith(other) or other.startswith(first) for first, other in texts)
    if cause.kind != "end tokens" or not ends:
        return cause
    seen = f"{cause.seen}; {ends} of the {count(len(items), 'differing answer')} are the beginning of the other's"
    return Cause(cause.kind, seen, cause.remedy)


def _computed(first: Form, other: Form) -> Iterator[Cause]:
    """What the forms are computed in: floats, and the weights of a GGUF file."""
    for form in (first, other):
        if (path := _gguf(form.model)) is not None:
            from harness.engine.gguf.metadata import read_metadata

            yield from _of_gguf(form.name, read_metadata(form.name, path).quantisation)
    if unlike := unlike_floats({first.name: first.engine, other.name: other.engine}):
        yield Cause("dtype", unlike, SAME_FLOATS)


def _of_gguf(name: str, kind: str) -> Iterator[Cause]:
    """What a GGUF file of this kind does to a model; a file in float32 nothing."""
    if kind in ("F16", "BF16"):
        yield Cause(
            "dtype",
            f"{name} keeps its weights in {kind}",
            "expected of a smaller float: convert to F32 to compare, or widen the margin",
        )
    elif kind != "F32":
        yield Cause(
            "quantised",
            f"{name} is quantised: {kind}",
            "expected of a quantised form: widen the margin to what it may cost, or quantise to more bits",
        )


def _gguf(model: Model | None) -> Path | None:
    """The GGUF file that a reference names; None if it names none."""
    if not isinstance(model, Endpoint):
        return None
    named = (Path(text) for text in (model.rest, model.name) if text.lower().endswith(".gguf"))
    return next((path for path in named if path.is_file()), None)
