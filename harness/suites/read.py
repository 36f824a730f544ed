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
from harness.documents.validate import describe
from harness.documents.within import PROJECT, Reach
from harness.documents.written import text_of
from harness.errors import InputError, Problem, Span, SuiteError
from harness.limits import MOST_PROBES, MOST_ROW_PROBLEMS
from harness.suites.clusters import with_passages
from harness.suites.detect import PROBES, has_ending
from harness.suites.format import GateFormat, ProbeFormat, SuiteFormat
from harness.suites.gates import GateReader
from harness.suites.generate import Allowance, GeneratorFormat, generate
from harness.suites.parts import M
from harness.suites.probe import ProbeReader, Setting
from harness.suites.scorer import Scorer
from harness.suites.source import read_rows
from harness.suites.suite import OVERALL, Probe, Suite, Task
from harness.suites.task import TaskReader
from harness.suites.texts import cut_texts, write_texts

DEFAULT_SCORES = {"choose": "choice", "likelihood": "likelihood"}


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
        return _Reader(document, scorers, Problems([*misnamed, *document.problems]), reach).read()


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

    def read(self) -> Suite:
        data = self.document.value
        if not isinstance(data, dict):
            message = f"a suite is a mapping of keys to values, saw {describe(data)}"
            self.problem((), message, "begin with 'suite: name'")
            raise SuiteError(self.problems)
        write_texts(self.document)
        suite = self.valid(SuiteFormat, _without_parts(data), ())
        if suite is not None and suite.suite == OVERALL:
            self.problem(
                ("suite",), f"'{OVERALL}' is the name of the gate over all suites", "name it otherwise"
            )
        tasks = TaskReader(self.document, self.scorers, self.problems)
        task, fields = tasks.read(data.get("task", {}))
        gates_written = list(self.each_valid(GateFormat, data, "gates"))
        written = self.few(chain(self.inline(data), self.generated(data), self.rows(suite, task, fields)))
        self.check_ids(written)
        categories = _categories(data) or any(probe.category for _, _, probe in written)
        gates = GateReader(self.document, self.scorers, self.problems).gates(gates_written, categories, task)
        if task is None:  # which scores and answers fit is unknown
            raise SuiteError(self.problems)
        spec = data.get("score", DEFAULT_SCORES.get(task.answer))
        default = self.scorer(spec, ("score",), task) if "score" in data or spec is not None else None
        setting = Setting(task, fields, default, suite.severity if suite else "high")
        probes = with_passages(list(self.probes(written, setting)))
        if not self.problems:
            tasks.check_extent(task, probes)
        if self.problems or suite is None:
            raise SuiteError(self.problems)
        return Suite(
            name=suite.suite,
            about=suite.about,
            severity=suite.severity,
            task=task,
            gates=gates,
            probes=probes,
            path=self.document.path,
            lint_ignore=suite.lint_ignore,
            span=self.document.span(("suite",)),
            warnings=tuple(cut_texts(self.document)),
        )

    def each_valid(self, shape: type[M], data: dict[str, Any], key: str) -> Iterator[tuple[Place, M]]:
        listed = data.get(key)
        for index, item in enumerate(listed if isinstance(listed, list) else []):
            if (value := self.valid(shape, item, (key, index))) is not None:
                yield (key, index), value

    # Probes, from the three places where they may be

    def inline(self, data: dict[str, Any]) -> Iterator[Written]:
        """The probes in the file itself."""
        if not data.keys() & PROBES:
            self.problem((), "a suite needs 'probes'")
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
                    made = [_as_text(values) for values in generate(generator, allowance)]
            except ValueError as error:
                self.problem(place, str(error))
                continue
            for number, values in enumerate(made, start=1):
                generated = f"generated-{int(index) + 1}"
                named = {"id": f"{generated}-{number}", "cluster": generated, **values}
                if (probe := self.valid(ProbeFormat, named, place)) is not None:
                    yield self, place, probe

    def rows(
        self, suite: SuiteFormat | None, task: Task | None, fields: tuple[str, ...] | None
    ) -> Iterator[Written]:
        """The probes of `probes_from`; the place of each is its line in the data."""
        if suite is None or suite.probes_from is None or task is None:
            return
        try:
            rows = read_rows(suite.probes_from, self.document.path, fields or (), self.reach)
        except InputError as error:
            here = self.document.span(("probes_from",))
            self.problems.add(*(replace(problem, span=problem.span or here) for problem in error.problems))
            return
        for row in rows:
            line = Document(row.span.path, None, values={(): row.span})
            reader = ProbeReader(line, self.scorers, self.problems)
            reader.columns = row.columns
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


def _categories(data: dict[str, Any]) -> bool:
    """Whether any probe in the file has a category, even if the probe is invalid."""
    probes = data.get("probes")
    return any(
        isinstance(probe, dict) and probe.get("category") is not None
        for probe in (probes if isinstance(probes, list) else [])
    )


def _as_text(values: Mapping[str, Any]) -> dict[str, Any]:
    """A generated probe with numbers as the text that an author would write; raises ValueError, with the key."""
    made: dict[str, Any] = {}
    for key, value in values.items():
        try:
            made[key] = value if key == "score" or value is None else text_of(value)
        except ValueError as error:
            raise ValueError(f"'{key}' would hold {error}") from error
    return made


def _without_parts(data: dict[str, Any]) -> dict[str, Any]:
    """The top of a suite, with valid stand-ins for the parts that are checked one by one."""
    stand_ins = {
        "task": {},
        "gates": [{"over": "each"}],
        "probes": [{"id": "x"}],
        "generators": [{"count": 1, "probe": {"id": "x"}}],
    }
    fitting = {
        key: part for key, part in stand_ins.items() if data.get(key) and isinstance(data[key], type(part))
    }
    return data | fitting
