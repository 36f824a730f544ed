"""One pair of models, gated by pytest, the Python API, the training callback and the sweep: one record."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.api.gate import run_gate
from harness.cli.main import main
from harness.engine.requests import LogLikelihood
from harness.engine.settings import Settings
from harness.errors import HarnessError, NoEvidenceError
from harness.evaluation.record import rows
from harness.evaluation.rescore import rescored
from harness.evaluation.suites import read_suites
from harness.gate.policy import Policy
from harness.reporting.record import read_record, write_record
from harness.reporting.rows import GateRow, ProbeRow, Record
from harness.sweep.measure import Tuned, baseline_rows, measure
from harness.sweep.schedule import AskedSuite
from harness.training.callback.callback import ForgettingCallback
from tests.support.engines import load_reference
from tests.support.gating import Gate
from tests.support.models import change_tensors
from tests.support.trainings import run

CPU = Settings(device="cpu")
"""Where the callback's training runs, too."""

WORDS = [f"{first}{second}" for first in "abcdefgh" for second in "uvwxyz"]


@pytest.fixture
def gate(gate):
    """Two suites more, of other kinds of probes."""
    probes = [{"id": word, "text": f"{word} {word[::-1]} and so on"} for word in WORDS]
    gate.suite(
        {"suite": "texts", "task": {"format": "text", "answer": "likelihood"}, "score": {"likelihood": {"max_rise": 0.01}},
         "gates": [{"over": "all", "max_rise": 0.1}], "probes": probes},
        "texts.yaml",
    )  # fmt: skip
    probes = [{"id": word, "question": word, "answer": letter} for word in WORDS for letter in word[0]]
    gate.suite(
        {"suite": "written", "severity": "medium", "task": {"max_new_tokens": 8}, "score": {"regex": {}},
         "gates": [{"over": "all", "max_drop": 0.3, "on_inconclusive": "pass"}, {"over": "each", "require": "pass"}],
         "probes": [{**probe, "answer": "[a-m]"} for probe in probes]},
        "written.yaml",
    )  # fmt: skip
    return gate


@pytest.fixture
def tuned(base, tmp_path) -> Path:
    folder = Path(shutil.copytree(base, tmp_path / "tuned"))
    return change_tensors(
        folder, lambda tensors: {**tensors, "lm_head.weight": tensors["lm_head.weight"].roll(1, dims=0)}
    )


@pytest.fixture
def paths(gate) -> list[Path]:
    return [gate.pytester.path / f"{name}.yaml" for name in ("colours", "texts", "written")]


def by_pytest(gate: Gate, tuned: Path) -> Record:
    result = gate.run(
        tuned, "colours.yaml", "texts.yaml", "written.yaml", "--device", "cpu", baseline=gate.base
    )
    assert result.ret == 1, result.stdout.str()
    return read_record(gate.pytester.path / "reports/latest/record.json")


def by_callback(
    paths: list[Path], base: Path, tuned: Path, folder: Path
) -> tuple[list[GateRow], list[ProbeRow]]:
    callback = ForgettingCallback(paths, sample=None, stop_on=None, baseline=load_reference(str(base), CPU))
    run(tuned, folder, [callback], rate=0.0, steps=1)
    assert [step.step for step in callback.history] == [0, 1]
    return rows(callback.decisions)


class Pair:
    """Where the sweep has its models from."""

    identity = weights = "0" * 64
    device, dtype, versions = "cpu", "float32", {}

    def __init__(self, base: Path, tuned: Path) -> None:
        self.folders = base, tuned

    @contextmanager
    def baseline(self):
        yield load_reference(str(self.folders[0]), CPU)

    @contextmanager
    def tuned(self, recipe):
        yield Tuned(load_reference(str(self.folders[1]), CPU), None)


def by_sweep(paths: list[Path], base: Path, tuned: Path) -> tuple[list[GateRow], dict[str, Any]]:
    target, *general = [
        AskedSuite(suite, suite.probes) for suite in read_suites([paths[0].with_name("target.yaml"), *paths])
    ]
    models = Pair(base, tuned)
    before, *others = baseline_rows([target, *general], models, {}, allow_code=False)
    recipe = SimpleNamespace(name="any", written=SimpleNamespace(seed=1))
    one = SimpleNamespace(recipe=recipe, key="k", name="any, seed 1")
    plan = SimpleNamespace(target=target, general=general)
    row = measure(one, plan, SimpleNamespace(target=before, suites=others), models, allow_code=False)
    answers = {
        (suite.name, probe.id): (probe.baseline, after)
        for suite in others
        for probe, after in zip(suite.probes, row.suites[suite.name], strict=True)
    }
    return row.gates, answers


def test_all_four_find_the_same(gate, base, tuned, paths, tmp_path):
    known = by_pytest(gate, tuned)
    assert {row.verdict for row in known.gates} >= {"RETAINED", "INCONCLUSIVE", "VACUOUS", None}
    assert {row.tuned.kind for row in known.probes} == {"generate", "choose", "likelihood"}
    asked_of_both = [row for row in known.probes if row.baseline]
    assert len(known.probes) == len(asked_of_both) == 60 + 2 * len(WORDS)

    record = run_gate(str(tuned), paths, str(base), device="cpu")
    assert (record.gates, record.probes) == (known.gates, known.probes)
    assert (record.run.exit_status, record.run.tuned, record.run.notes) == (
        1, known.run.tuned, known.run.notes,
    )  # fmt: skip

    assert by_callback(paths, base, tuned, tmp_path / "out") == (known.gates, known.probes)

    (paths[0].with_name("target.yaml")).write_text(paths[2].read_text().replace('"written"', '"target"'))
    gates, answers = by_sweep(paths, base, tuned)
    assert gates == known.gates
    without_why = {
        "why": None
    }  # a sweep keeps answers to score again, not what a person reads of the lost ones
    assert answers == {
        (row.suite, row.id): (row.baseline, row.tuned.model_copy(update=without_why)) for row in known.probes
    }


# Scored again, without a model


@pytest.fixture
def record(gate, tuned) -> Record:
    return by_pytest(gate, tuned)


def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.Module, "__call__", None)


def test_a_record_scored_again_is_the_same_record(record, monkeypatch):
    without_torch(monkeypatch)
    again = rescored(record)
    assert (again.gates, again.probes) == (record.gates, record.probes)
    assert again == record


def test_a_sample_scored_again_is_the_same(gate, tuned, paths):
    sampled = run_gate(str(tuned), paths, str(gate.base), sample=40)
    assert any(row.probes for row in sampled.gates)
    assert rescored(sampled) == sampled


def test_a_sample_too_small_to_show_that_the_baseline_knows_anything_is_the_same(gate, tuned, paths):
    """The baseline was asked the rest of the suite, which the record does not hold."""
    sampled = run_gate(str(tuned), paths[0], str(gate.base), sample=2)
    assert sampled.run.nothing_known == {"colours": None}
    assert len(sampled.probes) == 2
    assert all(row.verdict != "VACUOUS" for row in sampled.gates)
    assert rescored(sampled) == sampled
    again = rescored(sampled, read_suites(paths[:1]))
    assert again.run.nothing_known == sampled.run.nothing_known
    assert verdicts(again) == verdicts(sampled)


def verdicts(record: Record) -> dict[str, str | None]:
    return {row.slice: row.verdict for row in record.gates}


@pytest.fixture
def checklist(gate) -> Path:
    """The questions about colours, each a case of its own that may be asked in other words, in clusters of five."""
    colours = json.loads((gate.pytester.path / "colours.yaml").read_text())
    for number, probe in enumerate(colours["probes"]):
        probe["cluster"] = f"of five {number // 5}"
        probe["also_ask"] = [f"{probe['question']} {word}" for word in WORDS[:2]]
    gate.suite({**colours, "suite": "clusters"}, "clusters.yaml")
    each = {**colours, "suite": "checklist", "gates": [{"over": "each"}]}
    gate.suite(each, "checklist.yaml")
    return gate.pytester.path / "checklist.yaml"


def test_what_was_asked_again_in_other_words_is_the_same(gate, tuned, checklist, monkeypatch):
    record = run_gate(str(tuned), checklist, str(gate.base))
    lost = [row for row in record.probes if row.change == "lost"]
    assert len(lost) > 1
    assert all([attempt.fields["question"] for attempt in row.again] == said_three_times(row) for row in lost)
    without_torch(monkeypatch)
    assert rescored(record) == record
    assert rescored(record, read_suites([checklist])) == record


def said_three_times(row: ProbeRow) -> list[str]:
    asked = row.fields["question"]
    return [asked, *(f"{asked} {word}" for word in WORDS[:2])]


def test_probes_that_go_together_are_the_same(gate, tuned, checklist):
    record = run_gate(
        str(tuned),
        [checklist.with_name(f"{name}.yaml") for name in ("clusters", "texts", "written")],
        str(gate.base),
    )
    rows = {(row.suite, row.slice): row for row in record.gates}
    assert rows["clusters", "all"].clusters == 12
    assert rows["overall", "all"].clusters == 12 + len(WORDS)
    assert rescored(record) == record


class Reader:
    """An engine that knows texts, some of them better than others."""

    label = "the reader"
    kinds = frozenset({"likelihood"})

    def __init__(self, worse: float) -> None:
        self.worse = worse

    def render(self, prompt):
        raise AssertionError("texts have no prompts")

    def ask(self, requests, progress=None):
        bits = [1 + self.worse * (1 + number % 5) for number, _ in enumerate(requests)]
        return [
            LogLikelihood(-each * len(asked.text), len(asked.text), 512)
            for each, asked in zip(bits, requests, strict=True)
        ]


def test_a_mean_rise_is_the_same(gate, paths):
    record = run_gate(Reader(0.1), paths[1], Reader(0.0))
    (row,) = record.gates
    assert row.rise == pytest.approx(0.29, abs=0.01)
    assert (row.verdict, row.outcome, row.tests) == ("FORGOTTEN", "failed", 1)
    assert rescored(record) == record
    assert rescored(record, read_suites([paths[1]])) == record


# The gate over all suites


def overall(record: Record) -> list[GateRow]:
    return [row for row in record.gates if row.over == "overall"]


def test_the_margin_over_all_suites_is_the_records_own_or_another(record):
    (row,) = overall(record)
    assert (row.max_drop, row.outcome) == (0.03, "failed")
    assert overall(rescored(record)) == [row]
    (wider,) = overall(rescored(record, policy=Policy(max_drop_overall=0.5)))
    assert (wider.max_drop, wider.outcome) == (0.5, "passed")
    assert not overall(rescored(record, policy=Policy(max_drop_overall=None)))


@pytest.mark.parametrize(
    ("arguments", "margins"),
    [([], []), (["--max-drop-overall", "0.05"], [0.05]), (["--max-drop-overall", "off"], [])],
    ids=["the record's own", "another", "off"],
)
def test_a_margin_over_all_suites_on_the_command_line(gate, tuned, paths, tmp_path, arguments, margins):
    """Of one suite, which has none unless it is asked for."""
    folder = tmp_path / "record"
    write_record(run_gate(str(tuned), paths[0], str(gate.base)), folder)
    main(["rescore", str(folder), "--report", str(tmp_path / "new"), *arguments])
    again = read_record(tmp_path / "new/record.json")
    assert [row.max_drop for row in overall(again)] == margins
    assert again.run.max_drop_overall == (None if "off" in arguments else (margins or [0.03])[0])
    main(["rescore", str(tmp_path / "new"), "--report", str(tmp_path / "newer")])
    assert read_record(tmp_path / "newer/record.json") == again


def test_a_margin_over_all_suites_that_is_none(capsys):
    with pytest.raises(SystemExit):
        main(["rescore", "record.json", "--max-drop-overall", "3"])
    assert "must be a number above 0 and below 1 such as 0.03, or 'off', saw '3'" in capsys.readouterr().err


# Other suites


def test_the_suites_as_they_were_change_nothing(record, paths):
    again = rescored(record, read_suites(paths))
    assert (again.gates, again.probes) == (record.gates, record.probes)


def findings(record: Record) -> list[GateRow]:
    """The rows of the suites that are not corrected, without what depends on the number of gates."""
    return [
        row.model_copy(update={"holm_mid_p": None, "tests": None})
        for row in record.gates
        if row.suite in ("colours", "texts")
    ]


def test_a_corrected_key_and_gate_count(record, paths, capsys, tmp_path):
    content = json.loads(paths[2].read_text())
    content["gates"] = [{"over": "all", "max_drop": 0.9}]
    for probe in content["probes"]:
        probe["answer"] = "."
    paths[2].write_text(json.dumps(content))
    again = rescored(record, read_suites([paths[2]]))
    (row,) = [row for row in again.gates if row.suite == "written"]
    assert (row.max_drop, row.verdict) == (0.9, "RETAINED")
    assert findings(again) == findings(record), "other suites show what they did, though among other gates"
    folder = tmp_path / "record"
    write_record(record, folder)
    assert main(["rescore", str(folder), "--suite", str(paths[2]), "--report", str(tmp_path / "new")]) == 1
    assert "written" in capsys.readouterr().out
    assert read_record(tmp_path / "new/record.json") == again


def test_a_probe_that_is_asked_otherwise_is_refused(record, paths):
    paths[0].write_text(paths[0].read_text().replace('"prompt": "{question}"', '"prompt": "{question}?"'))
    with pytest.raises(HarnessError, match="the probe 'q0' has another prompt than in the record"):
        rescored(record, read_suites([paths[0]]))


LENIENT = Policy(fail_on="critical", max_drop_overall=None)
"""Fails nothing: no suite is critical."""


def of_one_suite(record):
    """The data of a run of the suite of answers alone, which shows what it shows by itself."""
    data = record.model_dump(mode="json")
    for kind in ("probes", "gates"):
        data[kind] = [row for row in data[kind] if row["suite"] == "written"]
    data["run"]["suites"] = {"written": data["run"]["suites"]["written"]}
    data["run"]["named"] = ["written"]
    return data


def test_a_policy_of_its_own(record):
    lenient = rescored(record, policy=LENIENT)
    assert {row.outcome for row in lenient.gates} & {"failed"} == set()
    assert lenient.run.exit_status == 5, "two suites show too little, which no severity makes a pass"
    assert rescored(Record.model_validate(of_one_suite(record)), policy=LENIENT).run.exit_status == 0


def test_a_record_without_whole_answers_says_so(record):
    data = record.model_dump(mode="json")
    for row in data["probes"]:
        for side in ("baseline", "tuned"):
            del row[side]["kind"]
    with pytest.raises(NoEvidenceError, match="has no raw answers"):
        rescored(Record.model_validate(data))


# A record that is not whole


@pytest.mark.parametrize(
    "change",
    [
        {"status": "unfinished", "exit_status": None},
        {"errors": ["x.yaml: could not be collected"]},
        {"cases": {"selected": 3, "decided": 2, "skipped": 0, "excused": 0, "errors": 0, "never_asked": 1, "left_out": 0, "own": 0}},
        {"cases": {"selected": 3, "decided": 2, "skipped": 0, "excused": 0, "errors": 1, "never_asked": 0, "left_out": 0, "own": 0}},
    ],
    ids=["killed", "with an error", "never asked", "a case that broke"],
)  # fmt: skip
def test_a_run_that_was_not_whole_does_not_pass_when_it_is_scored_again(record, change):
    data = of_one_suite(record)
    whole = rescored(Record.model_validate(data), policy=LENIENT)
    assert whole.run.exit_status == 0, "else this proves nothing"
    data["run"] |= change
    assert rescored(Record.model_validate(data), policy=LENIENT).run.exit_status == 1


def test_probes_that_only_one_of_suite_and_record_has_are_said(record, paths):
    content = json.loads(paths[0].read_text())
    content["probes"] = [*content["probes"][3:], {**content["probes"][0], "id": "new"}]
    paths[0].write_text(json.dumps(content))
    again = rescored(record, read_suites([paths[0]]))
    assert again.run.notes[-2:] == [
        "colours: 3 of the 60 recorded probes are not in the suite any more, and do not count",
        "colours: 1 of the suite's 58 probes are not in the record, and were not asked",
    ]
    for probe in content["probes"]:
        probe["id"] += "-renamed"
    paths[0].write_text(json.dumps(content))
    with pytest.raises(HarnessError, match="the record has none of the probes of the suite 'colours'"):
        rescored(record, read_suites([paths[0]]))
