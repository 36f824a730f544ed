"""A suite file in, a Suite out, or one SuiteError with everything wrong in the file."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from harness.documents.as_written import with_text_as_written
from harness.documents.cut import cut_texts
from harness.documents.document import Document, Place, read_document
from harness.documents.problems import Problems
from harness.documents.validate import describe, validate
from harness.documents.within import PROJECT, Reach
from harness.documents.written import text_of
from harness.errors import InputError, Problem, Span, SuiteError
from harness.limits import MOST_PROBES, MOST_PROMPTED, MOST_ROW_PROBLEMS, MOST_STOPS, MOST_TOKENS
from harness.suites.arguments import argument_problem, arguments_of
from harness.suites.detect import has_ending
from harness.suites.extent import prompted
from harness.suites.format import GateFormat, ProbeFormat, SuiteFormat, TaskFormat
from harness.suites.generate import Allowance, GeneratorFormat, generate
from harness.suites.probe import PARTS, M, ProbeReader
from harness.suites.scorer import Scorer
from harness.suites.severity import Severity
from harness.suites.source import read_rows
from harness.suites.suite import EachGate, Gate, MarginGate, Probe, Shot, Suite, Task
from harness.suites.template import template_fields

DEFAULT_SCORES = {"choose": "choice", "likelihood": "likelihood"}


def read_suite(path: Path, scorers: Mapping[str, type[Scorer]], reach: Reach = PROJECT) -> Suite:
    """Read and check one suite file.

    Args:
        scorers: the scores that YAML may name.
        reach: where the data that it names may lie.

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
    """Spare Python the search for garbage while many values are made, and none thrown away: half the time of a large suite."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _misnamed(path: Path) -> list[Problem]:
    """What is wrong with the name of a file such as `x.yml.txt`, which a run over its folder would not read."""
    if not path.suffix or has_ending(path) or not path.is_file():
        return []
    return [Problem(Span(path, 1, 1), "a suite's name ends in .yaml or .yml", "rename the file")]


Written = tuple[ProbeReader, Place, ProbeFormat]
"""A probe as it is written, where it stands, and the reader of the document that it stands in."""


class _Reader(ProbeReader):
    """Checks a whole suite file; collects problems so that an author sees all of them at once."""

    prompt_known = True
    """Whether the prompt's fields can be known, so that probes can be held against them."""

    def __init__(
        self, document: Document, scorers: Mapping[str, type[Scorer]], problems: Problems, reach: Reach
    ) -> None:
        super().__init__(document, scorers, problems)
        self.reach = reach

    def read(self) -> Suite:
        data = self.document.value
        if not isinstance(data, dict):
            self.problem((), f"a suite is a mapping of keys to values, saw {describe(data)}",
                         "begin with 'suite: name'")  # fmt: skip
            raise SuiteError(self.problems)
        data = with_text_as_written(data, self.document)
        suite = self.valid(SuiteFormat, _without_parts(data), ())
        task_format = self.task_format(data.get("task", {}))
        gates = list(self.each_valid(GateFormat, data, "gates"))
        written = self.few(chain(self.inline(data), self.generated(data), self.rows(suite, task_format)))
        fields = self.template_fields(task_format)
        task = self.task(task_format, fields)
        self.check_ids(written)
        categories = _categories(data) or any(probe.category for _, _, probe in written)
        read_gates = self.gates(gates, categories, task)
        if task_format is None:  # there is no telling which scores and answers fit
            raise SuiteError(self.problems)
        spec = data.get("score", DEFAULT_SCORES.get(task.answer))
        default = self.scorer(spec, ("score",), task) if "score" in data or spec is not None else None
        severity = suite.severity if suite else "high"
        read_probes = list(self.read_probes(written, task, fields, default, severity))
        if not self.problems:
            self.check_extent(task, [probe for probe in read_probes if probe is not None])
        if self.problems or suite is None:
            raise SuiteError(self.problems)
        return Suite(
            name=suite.suite,
            about=suite.about,
            severity=suite.severity,
            task=task,
            gates=tuple(read_gates),
            probes=tuple(probe for probe in read_probes if probe is not None),
            path=self.document.path,
            span=self.document.span(("suite",)),
            warnings=tuple(cut_texts(self.document)),
        )

    def each_valid(self, shape: type[M], data: dict[str, Any], key: str) -> Iterator[tuple[Place, M]]:
        listed = data.get(key)
        for index, item in enumerate(listed if isinstance(listed, list) else []):
            if (value := self.valid(shape, item, (key, index))) is not None:
                yield (key, index), value

    def task_format(self, data: Any) -> TaskFormat | None:
        """The task; where some of its keys are wrong, what the others say, so that probes can be checked."""
        task = self.valid(TaskFormat, data, ("task",))
        if task is not None or not isinstance(data, dict):
            return task
        sound = {
            key: value
            for key, value in data.items()
            if validate(TaskFormat, {key: value}, self.document, PARTS, ("task",), hints=False)[0] is not None
        }
        self.prompt_known = "prompt" in sound
        return self.valid(TaskFormat, sound, ("task",))

    def template_fields(self, task: TaskFormat | None) -> tuple[str, ...] | None:
        """The fields of the prompt; None when they cannot be known."""
        if task is None or not self.prompt_known:
            return None
        if task.answer == "likelihood":
            return ()
        try:
            fields = template_fields(task.prompt)
        except ValueError as error:
            self.problem(("task", "prompt"), str(error))
            return None
        taken = [name for name in fields if name in ProbeFormat.model_fields]
        for name in taken:
            self.problem(
                ("task", "prompt"),
                f"the prompt uses '{{{name}}}', and '{name}' is no field of the prompt: "
                "it has a meaning of its own in a probe",
                "give the field another name",
            )
        return None if taken else fields

    def task(self, written: TaskFormat | None, fields: tuple[str, ...] | None) -> Task:
        if written is None:
            return Task()
        given = written.model_fields_set
        if written.format == "text" and written.system is not None:
            self.problem(("task", "system"), "a system message needs 'format: chat'")
        if written.format == "text" and written.template:
            self.problem(("task", "template"), "arguments of the chat template need 'format: chat'")
        for name, value in written.template.items():
            if wrong := argument_problem(name, value):
                self.problem(("task", "template", name), wrong)
        if written.answer == "likelihood":
            if written.format != "text":
                self.problem(("task", "answer"), "'answer: likelihood' measures plain text",
                             "write 'format: text'")  # fmt: skip
            for key in sorted(given & {"prompt", "shots"}):
                self.problem(("task", key), f"'answer: likelihood' takes no '{key}'; its probes have 'text'")
        if written.answer != "generate":
            for key in sorted(given & {"max_new_tokens", "stop", "thinking"}):
                self.problem(("task", key), f"'{key}' has a meaning only under 'answer: generate'")
        self.check_task_size(written)
        shots = () if fields is None or written.answer == "likelihood" else self.shots(written, fields)
        return Task(
            format=written.format,
            system=written.system,
            prompt=written.prompt,
            shots=tuple(shots),
            answer=written.answer,
            max_new_tokens=written.max_new_tokens,
            stop=tuple(written.stop),
            template=arguments_of(written.template),
            thinking_tokens=written.thinking.max_tokens if written.thinking else None,
        )

    def check_task_size(self, written: TaskFormat) -> None:
        tokens: dict[Place, int] = {("max_new_tokens",): written.max_new_tokens}
        if written.thinking:
            tokens["thinking", "max_tokens"] = written.thinking.max_tokens
        for place, number in tokens.items():
            if number > MOST_TOKENS:
                self.problem(("task", *place), f"'{place[-1]}' must be at most {MOST_TOKENS:,}, saw {number}")
        if len(written.stop) > MOST_STOPS:
            self.problem(
                ("task", "stop"), f"{len(written.stop):,} stop texts, and a task may have {MOST_STOPS}",
                "take what they have in common",
            )  # fmt: skip

    def shots(self, written: TaskFormat, fields: tuple[str, ...]) -> Iterator[Shot]:
        for index, shot in enumerate(written.shots):
            place: Place = ("task", "shots", index)
            known = (*fields, "answer")
            for key, value in shot.items():
                if key not in known:
                    self.problem(
                        (*place, key), f"unknown key '{key}' in a shot", self.problems.near(key, known)
                    )
                elif not isinstance(value, str) or not value.strip():
                    self.problem(
                        (*place, key), f"'{key}' must be text that is not empty, saw {describe(value)}"
                    )
            if missing := [name for name in known if name not in shot]:
                self.problem(place, f"a shot needs '{missing[0]}'")
                continue
            yield Shot({name: str(shot[name]) for name in fields}, str(shot["answer"]))

    def read_probes(
        self,
        written: Sequence[Written],
        task: Task,
        fields: tuple[str, ...] | None,
        default: Scorer | None,
        severity: Severity,
    ) -> Iterator[Probe | None]:
        """Each probe, or None where it is wrong; data whose rows are all wrong is not read to its end."""
        before = len(self.problems)
        for reader, place, probe in written:
            yield reader.probe(probe, place, task, fields, default, severity)
            if reader is self:
                before = len(self.problems)
            elif len(self.problems) - before >= MOST_ROW_PROBLEMS:
                self.problem(
                    ("probes_from",), f"{MOST_ROW_PROBLEMS} problems in its rows; the rest was not read"
                )
                return

    def inline(self, data: dict[str, Any]) -> Iterator[Written]:
        """The probes that stand in the file."""
        if not any(key in data for key in ("probes", "generators", "probes_from")):
            self.problem((), "a suite needs 'probes'")
        for key in ("probes", "generators", "probes_from"):
            if key in data and data[key] is None:
                expected = "a path or a mapping" if key == "probes_from" else "a list"
                self.problems.add(
                    Problem(self.document.values[(key,)], f"'{key}' must be {expected}, saw nothing")
                )
        for place, probe in self.each_valid(ProbeFormat, data, "probes"):
            yield self, place, probe

    def generated(self, data: dict[str, Any]) -> Iterator[Written]:
        """The probes that the file's generators make; all of one generator stand where it does."""
        allowance = Allowance()
        for place, generator in self.each_valid(GeneratorFormat, data, "generators"):
            try:
                with self.bounded((*place, "probe")):
                    made = [_as_text(values) for values in generate(generator, allowance)]
            except ValueError as error:
                self.problem((*place, "probe"), str(error))
                continue
            for number, values in enumerate(made, start=1):
                named = {"id": f"generated-{int(place[1]) + 1}-{number}", **values}
                if (probe := self.valid(ProbeFormat, named, (*place, "probe"))) is not None:
                    yield self, (*place, "probe"), probe

    def rows(self, suite: SuiteFormat | None, task: TaskFormat | None) -> Iterator[Written]:
        """The probes of `probes_from`; each stands in its own line of the data."""
        if suite is None or suite.probes_from is None or task is None:
            return
        fields = self.template_fields(task) or ()
        try:
            rows = read_rows(suite.probes_from, self.document.path, fields, self.reach)
        except InputError as error:
            here = self.document.span(("probes_from",))
            self.problems.add(
                *(found if found.span else replace(found, span=here) for found in error.problems)
            )
            return
        for row in rows:
            reader = ProbeReader(
                Document(row.span.path, None, values={(): row.span}), self.scorers, self.problems
            )
            reader.columns = row.columns
            if (probe := reader.valid(ProbeFormat, row.values, ())) is not None:
                yield reader, (), probe

    def few(self, written: Iterable[Written]) -> list[Written]:
        """All of the probes, unless they are too many."""
        listed = list(islice(written, MOST_PROBES + 1))
        if len(listed) > MOST_PROBES:
            self.problem(
                (), f"a suite may have {MOST_PROBES:,} probes, and this one has more",
                "take a part of the data: 'sample' under 'probes_from', 'count' under 'generators'",
            )  # fmt: skip
            raise SuiteError(self.problems)
        return listed

    def check_extent(self, task: Task, probes: Sequence[Probe]) -> None:
        characters = prompted(task, probes)
        if characters > MOST_PROMPTED:
            self.problem(
                ("task", "shots" if task.shots else "prompt"),
                f"the prompts take {characters:,} characters together, and those of a suite may take {MOST_PROMPTED:,}",
                "every prompt begins with all shots: take fewer" if task.shots else "take shorter texts or fewer probes",
            )  # fmt: skip

    def check_ids(self, written: Sequence[Written]) -> None:
        first: dict[str, Span] = {}
        for reader, place, probe in written:
            span = reader.document.span((*place, "id"))
            if probe.id in first:
                other = first[probe.id]
                where = f"line {other.line}" if other.path == span.path else str(other)
                reader.problem((*place, "id"), f"repeated id '{probe.id}'", f"{where} has it already")
            first.setdefault(probe.id, span)

    def gates(self, written: Sequence[tuple[Place, GateFormat]], categories: bool, task: Task) -> list[Gate]:
        lines: dict[str, int] = {}
        gates: list[Gate] = []
        for place, gate in written:
            span = self.document.span(place)
            if gate.over in lines:
                self.problem(
                    place, f"a second gate over '{gate.over}'", f"line {lines[gate.over]} has one already"
                )
            lines.setdefault(gate.over, span.line)
            if gate.over == "category" and not categories:
                self.problem((*place, "over"), "a gate over 'category', and no probe has a category")
            if gate.require == "pass" and task.answer == "likelihood":
                self.problem(
                    (*place, "require"), "'require: pass' cannot judge a likelihood: only a comparison can"
                )
            if gate.over == "each" or gate.max_drop is None:
                gates.append(EachGate(gate.require or "retained", span))
            else:
                gates.append(MarginGate(gate.over, gate.max_drop, gate.on_inconclusive, span))
        return gates


def _categories(data: dict[str, Any]) -> bool:
    """Whether any probe says a category, be the probe right or wrong."""
    probes = data.get("probes")
    return any(
        isinstance(probe, dict) and probe.get("category") is not None
        for probe in (probes if isinstance(probes, list) else [])
    )


def _as_text(values: Mapping[str, Any]) -> dict[str, Any]:
    """A made probe, in which numbers are the text that they would be written as; raises ValueError, with the key."""
    made: dict[str, Any] = {}
    for key, value in values.items():
        try:
            made[key] = value if key == "score" or value is None else text_of(value)
        except ValueError as error:
            raise ValueError(f"'{key}' would hold {error}") from error
    return made


def _without_parts(data: dict[str, Any]) -> dict[str, Any]:
    """The top of a suite with its parts, which are checked one by one, replaced by ones that fit."""
    stand_ins = {
        "task": {},
        "gates": [{"over": "each"}],
        "probes": [{"id": "x"}],
        "generators": [{"count": 1, "probe": {"id": "x"}}],
    }
    return {
        key: stand_ins[key]
        if key in stand_ins and value and isinstance(value, type(stand_ins[key]))
        else value
        for key, value in data.items()
    }
