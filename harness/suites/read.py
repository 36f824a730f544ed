"""A suite file in, a Suite out, or one SuiteError with everything wrong in the file."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from harness.documents.document import Document, Place, read_document
from harness.documents.problems import Problems
from harness.documents.validate import no_mapping
from harness.documents.within import PROJECT, Reach
from harness.errors import InputError, Problem, Span, SuiteError
from harness.limits import MOST_PROBES, MOST_ROW_PROBLEMS
from harness.suites.clusters import with_passages
from harness.suites.detect import PROBES, has_ending
from harness.suites.doubts import doubts
from harness.suites.format import GateFormat, ProbeFormat, SuiteFormat
from harness.suites.gates import GateReader
from harness.suites.generate import Allowance, GeneratorFormat, as_text, generate
from harness.suites.misnamed import categories_of, is_named, with_categories
from harness.suites.parts import PARTS, M, without_parts
from harness.suites.probe import ProbeReader, Setting
from harness.suites.scorer import Scorer
from harness.suites.source import read_rows
from harness.suites.suite import OVERALL, Gate, Probe, Suite, Task
from harness.suites.task import TaskReader
from harness.suites.texts import write_texts

RECIPE = (
    "train and gate it: pytest suites/ --model=FILE; or compare several: python -m harness ladder FILE..."
)

DEFAULT_SCORES = {"choose": "choice", "likelihood": "likelihood"}

BARRED = frozenset({"regex", "json"})
"""Scores whose answers may have a `|` of their own."""


def read_suite(path: Path, scorers: Mapping[str, type[Scorer]], reach: Reach = PROJECT) -> Suite:
    """Read and check one suite file.

    Args:
        scorers: the scores that YAML may name.
        reach: where the data that it names may be.

    Raises:
        SuiteError: with every problem of the file, each at its place.
    """
    misnamed = _misnamed(path)
    with _no_collection():
        try:
            document = read_document(path)
        except InputError as error:
            raise SuiteError([*misnamed, *error.problems]) from error
        problems = Problems([*misnamed, *document.problems], path=path, known=document.told)
        return _Reader(document, scorers, problems, reach).read()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without Python's garbage collector, which takes half the time of reading a large suite and finds nothing to free."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _misnamed(path: Path) -> list[Problem]:
    """The problem with a name such as `x.yml.txt`, which a run over the folder would pass over."""
    if not path.suffix or has_ending(path) or not path.is_file():
        return []
    return [Problem(Span(path, 1, 1), "a suite's name ends in .yaml or .yml", "rename the file")]


Written = tuple[ProbeReader, Place, ProbeFormat]
"""A probe as it is written, its place, and the reader of the document that it is in."""


class _Reader(ProbeReader):
    """Checks a whole suite file; collects problems so that an author sees all of them at once.

    Parts are checked one by one, and after an invalid part the others still are. So each step takes what is known of the
    steps before, which may be None, and only the end raises.
    """

    def __init__(
        self, document: Document, scorers: Mapping[str, type[Scorer]], problems: Problems, reach: Reach
    ) -> None:
        super().__init__(document, scorers, problems)
        self.reach = reach
        self.notes: list[str] = []
        """What was guessed about its data."""

    def read(self) -> Suite:
        data = self.document.value
        if not isinstance(data, dict):
            self.problem((), *no_mapping("suite", data))
            raise SuiteError(self.problems)
        if "recipe" in data and "suite" not in data:
            self.problem(("recipe",), "this is a recipe, which trains a model, and no suite", RECIPE)
            raise SuiteError(self.problems)
        write_texts(self.document)
        of_task = "from" in data
        unwritten = {} if "gates" in data or not of_task else {"gates": [{"over": "each"}]}
        suite = self.valid(SuiteFormat, without_parts(data) | unwritten, ())
        if suite is not None and suite.suite == OVERALL:
            self.problem(
                ("suite",), f"'{OVERALL}' is the name of the gate over all suites", "choose another name"
            )
        if of_task:
            return self.of_task(data, suite)
        tasks = TaskReader(self.document, self.scorers, self.problems)
        task, fields = tasks.read(data.get("task", {}))
        gates_written = list(self.each_valid(GateFormat, data, "gates"))
        written = self.few(chain(self.inline(data), self.generated(data), self.rows(suite, task, fields)))
        self.check_ids(written)
        categories = (
            bool(categories_of(data)) or not written or any(probe.category for _, _, probe in written)
        )
        gate_reader = GateReader(self.document, self.scorers, self.problems)
        gates = gate_reader.gates(gates_written, categories, task)
        if task is None:  # which scores and answers fit is unknown
            raise SuiteError(self.problems)
        spec = data.get("score", DEFAULT_SCORES.get(task.answer))
        default = self.scorer(spec, ("score",), task) if "score" in data or spec is not None else None
        named = ("score",) in self.document.values or is_named("score", data)
        setting = Setting(task, fields, default, suite.severity if suite else "high", not named)
        probes = with_passages(list(self.probes(written, setting)))
        named_categories = dict.fromkeys(probe.category for _, _, probe in written if probe.category)
        needs = gate_reader.needs(suite.needs if suite else {}, gates, tuple(named_categories), task)
        if not self.problems:
            tasks.check_extent(task, probes)
        if self.problems or suite is None:
            raise SuiteError(self.problems)
        return self.suite(suite, task, gates, probes, needs, doubts(self.document, probes))

    def of_task(self, data: dict[str, Any], suite: SuiteFormat | None) -> Suite:
        """The suite whose probes are the documents of a task of lm-evaluation-harness."""
        from harness.suites.task_source import NOT_BESIDE, TaskProbes

        for key in data.keys() & set(NOT_BESIDE):
            self.problem((key,), f"'{key}' has no meaning beside 'from': the task fills it in")
        if "gates" in data and suite and suite.from_ and suite.from_.margin is not None:
            self.problem(("from", "margin"), "'margin' has no meaning beside 'gates'")
        written = list(self.each_valid(GateFormat, data, "gates"))
        if self.problems or suite is None or suite.from_ is None:
            raise SuiteError(self.problems)
        try:
            found = TaskProbes(suite.from_, self.document, self.scorers, suite.severity, self.reach)
        except InputError as error:
            raise SuiteError(error.problems) from error
        if "gates" not in data:
            written = [(("from",), GateFormat(**gate)) for gate in found.gates]
        reader = GateReader(self.document, self.scorers, self.problems)
        categories = tuple(dict.fromkeys(probe.category for probe in found.probes if probe.category))
        gates = reader.gates(written, bool(categories), found.task)
        needs = reader.needs(suite.needs, gates, categories, found.task)
        if self.problems:
            raise SuiteError(self.problems)
        warnings = (Problem(found.span, *warning) for warning in found.warnings)
        return self.suite(suite, found.task, gates, found.probes, needs, warnings)

    def suite(
        self,
        written: SuiteFormat,
        task: Task,
        gates: tuple[Gate, ...],
        probes: tuple[Probe, ...],
        needs: Mapping[str, str],
        warnings: Iterable[Problem],
    ) -> Suite:
        return Suite(
            name=written.suite,
            about=written.about,
            severity=written.severity,
            task=task,
            gates=gates,
            probes=probes,
            path=self.document.path,
            needs=needs,
            lint_ignore=written.lint_ignore,
            span=self.document.span(("suite",)),
            warnings=tuple(warnings),
            notes=tuple(self.notes),
        )

    def each_valid(self, shape: type[M], data: dict[str, Any], key: str) -> Iterator[tuple[Place, M]]:
        listed = data.get(key)
        parts = with_categories(data) if key == "gates" else PARTS
        for index, item in enumerate(listed if isinstance(listed, list) else []):
            if (value := self.valid(shape, item, (key, index), parts)) is not None:
                yield (key, index), value

    # Probes, from the three places where they may be

    def inline(self, data: dict[str, Any]) -> Iterator[Written]:
        """The probes in the file itself."""
        if not data.keys() & PROBES and not is_named("probes", data):
            example = PARTS["probes"].examples[""]
            self.problem((), "a suite needs 'probes'", f"write: probes: [{example}]")
        for key in sorted(data.keys() & PROBES):
            if data[key] is None:
                expected = "a path or a mapping" if key == "probes_from" else "a list"
                message = f"'{key}' must be {expected}, saw nothing"
                self.problems.add(Problem(self.document.values[(key,)], message))
        for place, probe in self.each_valid(ProbeFormat, data, "probes"):
            yield self, place, probe

    def generated(self, data: dict[str, Any]) -> Iterator[Written]:
        """The probes that the file's generators make; the place of each is its generator's."""
        allowance = Allowance()
        for (_, index), generator in self.each_valid(GeneratorFormat, data, "generators"):
            place: Place = ("generators", index, "probe")
            try:
                with self.bounded(place):
                    made = [as_text(values) for values in generate(generator, allowance)]
            except ValueError as error:
                self.problem(place, str(error))
                continue
            several = len(generator.probes)
            for number, values in enumerate(made, start=1):
                generated = f"generated-{int(index) + 1}"
                named = {"id": f"{generated}-{number}", "cluster": generated, **values}
                if several:
                    place = ("generators", index, "probes", (number - 1) % several)
                if (probe := self.valid(ProbeFormat, named, place)) is not None:
                    yield self, place, probe

    def rows(
        self, suite: SuiteFormat | None, task: Task | None, fields: tuple[str, ...] | None
    ) -> Iterator[Written]:
        """The probes of `probes_from`; the place of each is its line in the data."""
        if suite is None or suite.probes_from is None or task is None:
            return
        try:
            score = self.document.value.get("score")
            bars = not isinstance(score, str | dict) or BARRED.isdisjoint(
                [score] if isinstance(score, str) else score
            )
            rows = read_rows(
                suite.probes_from, self.document.path, fields or (), self.reach, self.notes, bars
            )
        except InputError as error:
            here = self.document.span(("probes_from",))
            self.problems.add(*(replace(problem, span=problem.span or here) for problem in error.problems))
            return
        for row in rows:
            line = Document(row.span.path, None, values={(): row.span})
            reader = ProbeReader(line, self.scorers, self.problems)
            reader.columns, reader.named = row.columns, row.named
            if (probe := reader.valid(ProbeFormat, row.values, ())) is not None:
                yield reader, (), probe

    def few(self, written: Iterable[Written]) -> list[Written]:
        """All of the probes, unless they are too many."""
        listed = list(islice(written, MOST_PROBES + 1))
        if len(listed) > MOST_PROBES:
            remedy = "take a part of the data: 'sample' under 'probes_from', 'count' under 'generators'"
            self.problem(
                (), f"a suite may have at most {MOST_PROBES:,} probes, and this one has more", remedy
            )
            raise SuiteError(self.problems)
        return listed

    def check_ids(self, written: Sequence[Written]) -> None:
        first: dict[str, Span] = {}
        for reader, place, probe in written:
            span = reader.document.span((*place, "id"))
            if probe.id in first:
                other = first[probe.id]
                where = f"line {other.line}" if other.path == span.path else str(other)
                reader.problem((*place, "id"), f"repeated id '{probe.id}'", f"{where} has it already")
            first.setdefault(probe.id, span)

    def probes(self, written: Sequence[Written], setting: Setting) -> Iterator[Probe]:
        """The valid probes; data whose rows are all wrong is not read to its end."""
        before = len(self.problems)
        for reader, place, probe_format in written:
            if (probe := reader.probe(probe_format, place, setting)) is not None:
                yield probe
            if reader is self:
                before = len(self.problems)
            elif len(self.problems) - before >= MOST_ROW_PROBLEMS:
                message = f"{MOST_ROW_PROBLEMS} problems in its rows; the rest was not read"
                self.problem(("probes_from",), message)
                return
