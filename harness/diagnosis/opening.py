"""A record, or the models and suites of a gate that is yet to run, in; the probes, suites and engines to diagnose out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from harness.documents.within import PROJECT, Reach
from harness.engine.prompts import request, under
from harness.engine.requests import EnginePair, Side
from harness.engine.settings import Settings
from harness.errors import HarnessError, InputError, ModelError, NoEvidenceError
from harness.evaluation.permission import code_problem, without_code
from harness.evaluation.record import model_row, rows
from harness.evaluation.rescore import as_asked
from harness.evaluation.sample import sampled
from harness.evaluation.session import PairSession
from harness.evaluation.suites import read_suites
from harness.gate.cases import cases
from harness.models.identity import weights_identity
from harness.models.reference import Model, ModelPair
from harness.progress import Log, Progress, ProgressFor
from harness.reporting.rows import ModelRow, ProbeRow, Record
from harness.spelling import option
from harness.store.opening import open_pair
from harness.suites.suite import Suite
from harness.training.references import find_models, trained
from harness.wording import some


@dataclass(frozen=True)
class Opened:
    """What is diagnosed.

    Attributes:
        suites: as they were asked, by name.
        models: "TUNED against BASELINE".
        notes: for the user.
    """

    probes: Sequence[ProbeRow]
    suites: dict[str, Suite]
    engines: EnginePair
    models: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opener:
    """Opens models and suites; raises HarnessError where that fails.

    Attributes:
        model, baseline: references that the user gave; None for those of the record, or the model's own baseline.
        suites: files and folders that the user gave.
    """

    settings: Settings
    say: Log
    counter: ProgressFor
    model: str | None = None
    baseline: str | None = None
    suites: Sequence[Path] = ()
    reach: Reach = PROJECT
    allow_code: bool = False

    def of_record(self, record: Record) -> Opened:
        """What a run asked, with its models opened again.

        Raises:
            HarnessError: its models cannot be named, or they have other weights now.
            ModelError, SuiteError: a model or suite cannot be found or read.
        """
        lost = dict.fromkeys(row.suite for row in record.probes if row.change == "lost")
        suites, notes = suites_of(record, list(lost), self.suites, self.reach)
        pair = self._pair_of(record)
        engines = open_pair(pair, self.settings, self.say)
        return Opened(record.probes, suites, engines, _named(pair), (*notes, *engines.notes))

    def gated(self, sample: int | None, seed: int) -> Opened:
        """The probes of the suites, asked of both models now.

        Raises:
            HarnessError: a model or a suite cannot be used.
        """
        assert self.model is not None, "without a record, a model is named"
        suites, notes = self._readable()
        found = find_models(self.model, self.baseline, self.settings, self.reach)
        pair = trained(found, self.baseline, self.settings, self.say, self.counter)
        asked = list(sampled((case for suite in suites for case in cases(suite)), sample, seed))
        requests = [
            request(under(case.suite, self.settings), probe) for case in asked for probe in case.probes
        ]
        engines = open_pair(pair, self.settings, self.say, list(dict.fromkeys(requests)))
        session = PairSession(settings=self.settings, allow_code=self.allow_code, progress=self._meter)
        session.need(asked)
        for name in session.suites:
            session.ask_both(name, engines.of)
        _, probes = rows(session.decide(asked))
        own = {name: run.suite for name, run in session.suites.items()}
        return Opened(probes, own, engines, _named(pair), (*notes, *engines.notes, *session.notes))

    def _meter(self, suite: str, side: Side) -> Progress:
        return self.counter(f"{suite}, {side}")

    def _readable(self) -> tuple[list[Suite], list[str]]:
        """The suites, and notes on those left out because they run code without permission."""
        read, notes = read_suites(self.suites, self.reach), list[str]()
        if not self.allow_code:
            read, notes = without_code(read)
        if problems := [
            found for suite in read if (found := code_problem(suite, suite.probes, self.allow_code))
        ]:
            raise InputError(problems)
        if not read:
            raise NoEvidenceError("no suites were given, so nothing can be diagnosed")
        return read, notes

    def _pair_of(self, record: Record) -> ModelPair[Model, Model]:
        """The models of a record, which must have the weights that it tells."""
        tuned, baseline = record.run.tuned, record.run.baseline
        if tuned is None or baseline is None:
            raise HarnessError("nothing to diagnose: the record names no pair of models")
        if self.model is None and "fixture" in (tuned.source, baseline.source):
            raise HarnessError(
                "the models of the record came from fixtures of a conftest.py, which cannot be opened here\n"
                f"  name both: {option('model', 'REF')} {option('baseline', 'REF')}; or diagnose within a run "
                f"of one process: pytest ... {option('diagnose')}"
            )
        pair = self._found(self.model or tuned.reference, self.baseline or baseline.reference)
        identity = cache(weights_identity)
        for row, model in ((baseline, pair.baseline), (tuned, pair.tuned)):
            _check_weights(row, model_row(model, identity=identity))
        return pair

    def _found(self, model: str, baseline: str) -> ModelPair[Model, Model]:
        """The models; a baseline that its name does not lead to is the one that the tuned model names itself."""
        named: str | None = baseline
        try:
            found = find_models(model, named, self.settings, self.reach)
        except ModelError:
            if self.baseline is not None:
                raise
            named = None
            found = find_models(model, named, self.settings, self.reach)
        return trained(found, named, self.settings, self.say, self.counter)


def suites_of(
    record: Record, names: Sequence[str], given: Sequence[Path], reach: Reach
) -> tuple[dict[str, Suite], list[str]]:
    """The suites of these names as a record asked them, and a note on those that are not here.

    Args:
        given: files and folders in place of those that the record names.

    Raises:
        SuiteError: one cannot be read.
        HarnessError: one prompts for a probe otherwise than the run did.
    """
    paths = list(given)
    if not paths:
        named = [Path(row.path) for name in names if (row := record.run.suites.get(name)) and row.path]
        paths = [path for path in dict.fromkeys(named) if path.is_file()]
    read = {suite.name: suite for suite in read_suites(paths, reach)} if paths else {}
    found = {
        name: replace(
            as_asked(read[name], [row for row in record.probes if row.suite == name], record),
            probes=read[name].probes,
        )
        for name in names
        if name in read
    }
    missing = [name for name in names if name not in found]
    if not missing:
        return found, []
    named_by = f"name their files: {option('suite', 'FILE')}"
    return found, [
        f"suites that are not here, so that nothing of them was asked again: {some(missing, 5)}; {named_by}"
    ]


def _check_weights(then: ModelRow, now: ModelRow) -> None:
    """Raise HarnessError unless a model has the weights that a record tells, where both are known."""
    if then.weights and now.weights and (then.weights, then.base_weights) != (now.weights, now.base_weights):
        raise HarnessError(
            f"{now.reference}: has other weights than the model of the record\n"
            f"  gate it again, or diagnose it without a record: {option('model', 'REF')} {option('suite', 'FILE')}"
        )


def _named(pair: ModelPair[Model, Model]) -> str:
    return f"{pair.tuned.name} against {pair.baseline.name}"
