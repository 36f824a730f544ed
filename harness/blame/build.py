"""Both models and the probes to ask again in, the record of what carries the forgetting out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness import __version__
from harness.blame.corpus import Corpus
from harness.blame.questions import Questions
from harness.blame.record import (
    ApartRow,
    BlameRecord,
    BlameRun,
    EffectRow,
    ExampleRow,
    ExamplesRow,
    SuiteRow,
    group_rows,
)
from harness.blame.search import Found, Outcome, Search
from harness.engine.answers import as_data, request_key
from harness.engine.prompts import request
from harness.engine.requests import EnginePair
from harness.errors import shown_path
from harness.evaluation.record import versions
from harness.models.reference import LocalPair
from harness.progress import counter
from harness.spelling import on_command_line
from harness.training.attribution import probe_row, pushes
from harness.training.edits.edited import EditedModels
from harness.training.edits.parts import Part
from harness.training.encode import encode
from harness.visible import encodable
from harness.wording import now

if TYPE_CHECKING:
    from harness.blame.run import BlameOptions


@dataclass(frozen=True)
class Given:
    """What is known before the search: the models, opened, and the probes that every changed one is asked."""

    models: LocalPair
    pair: EnginePair
    questions: Questions
    corpus: Corpus | None
    notes: tuple[str, ...]


def record_of(options: BlameOptions, given: Given) -> BlameRecord:
    """Search the groups, and compare gradients where there is a corpus.

    Raises:
        ModelError: nothing in the tuned model can be switched off.
        EngineError: it cannot answer.
    """
    edited, questions = EditedModels(given.pair), given.questions
    found = _searched(edited, questions, options)
    return BlameRecord(
        run=_run(options, given),
        suites=[_suite_row(name, questions) for name in questions.runs],
        layers=len(found.groups[0].group.layers),
        parts=len(edited.parts),
        cannot=[encodable(name) for name in edited.rest],
        asked_again=(len(questions.lost), len(questions.kept)),
        models=found.models,
        whole=EffectRow.of(found.whole),
        rest=EffectRow.of(found.rest),
        groups=group_rows(found),
        apart=[ApartRow(**asdict(row)) for row in found.apart],
        unopened=found.unopened,
        examples=None if given.corpus is None else _examples(given.corpus, edited, questions),
    )


def _run(options: BlameOptions, given: Given) -> BlameRun:
    models, pair, corpus = given.models, given.pair, given.corpus
    notes = [*models.notes, *pair.notes, *given.notes, *(corpus.notes if corpus else ())]
    return BlameRun(
        harness=__version__,
        started=now(),
        command=[encodable(argument) for argument in options.command],
        tuned=encodable(models.tuned.name),
        baseline=encodable(models.baseline.name),
        device=pair.device,
        dtype=pair.dtype,
        versions=versions(),
        notes=[encodable(on_command_line(note)) for note in dict.fromkeys(notes)],
    )


def _searched(edited: EditedModels, questions: Questions, options: BlameOptions) -> Found:
    progress = counter("switching parts off", "models")

    def ask(off: Collection[Part]) -> Outcome:
        if not off:
            return questions.known
        outcome = questions.outcome(edited.without(off), edited.pair.baseline, options.allow_code)
        progress(search.models + 1, options.models)
        return outcome

    search = Search(edited.parts, questions.strata, ask, options.models)
    return search.found()


def _suite_row(name: str, questions: Questions) -> SuiteRow:
    run = questions.runs[name]
    changes = [pair.change for pair in run.pairs(run.asked_of_both)]
    again = [each.probe.id for each in (*questions.lost, *questions.kept) if each.suite == name]
    return SuiteRow(
        name=encodable(name),
        path=shown_path(run.suite.path) if run.suite.path else "",
        asked=len(changes),
        lost=changes.count("lost"),
        kept=changes.count("kept"),
        again=[encodable(id) for id in again],
    )


def _examples(corpus: Corpus, edited: EditedModels, questions: Questions) -> ExamplesRow:
    """The examples by how hard they push against the lost probes; worked out once for the same models, corpus and probes."""
    requests = [
        (
            request(questions.runs[each.suite].suite, each.probe),
            questions.runs[each.suite].answers["baseline"][each.probe.id],
        )
        for each in questions.lost
    ]

    def find() -> list[float]:
        engine = edited.tuned
        form = corpus.form or ("chat" if engine.tokenizer.chat_template else "text")
        rows = encode(engine.tokenizer, [example for _, example in corpus.examples], form)
        probes = [probe_row(engine, asked, answer) for asked, answer in requests]
        return pushes(engine, edited.changes, rows, probes, counter("gradients", "gradients"))

    key = [
        "pushes", 1, corpus.form, [example.content for _, example in corpus.examples],
        [[request_key(asked), as_data(answer)] for asked, answer in requests],
    ]  # fmt: skip
    found = edited.remembered(key, find)
    rows = [
        ExampleRow(
            number=number, prompt=encodable(example.prompt), answer=encodable(example.answer), push=push
        )
        for (number, example), push in zip(corpus.examples, found, strict=True)
    ]
    rows.sort(key=lambda row: -row.push)
    return ExamplesRow(corpus=encodable(corpus.name), of=corpus.of, probes=len(requests), examples=rows)
