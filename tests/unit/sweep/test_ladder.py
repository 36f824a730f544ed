"""`python -m harness ladder` with models that answer by script: what is read, measured, kept, ranked and refused."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.engine.functions import FunctionEngine
from harness.engine.requests import Generate, Generated, Measure, Measured
from harness.errors import HarnessError, ModelError, NoEvidenceError
from harness.spelling import on_command_line
from harness.stats.paired import tango_interval
from harness.sweep import run as module
from harness.sweep.measure import Tuned
from harness.sweep.record import read_ladder
from harness.sweep.schedule import SweepOptions, read_plan
from tests.support.suites import suite_text

RECIPE = """\
recipe: {name}
base: base
target: target.yaml
corpus: {{file: corpus.jsonl}}
method: {{full: {{}}}}
learning_rate: 0.001
epochs: {epochs}
"""


class Fake:
    """Models that are right on the first so many probes of each suite; the baseline on none of the target's.

    `right` says how many, by recipe (and seed): {"a": {"target": 9, "general": 5}}. A text in place of that is the
    message of a training that fails. `asked` lists every suite that was asked of whom.
    """

    weights = "ab" * 32
    device = "cpu"
    dtype = "float32"

    def __init__(self, right, baseline=None, identity="base"):
        self.right = right
        self.before = baseline or {"target": 0, "general": 10, "second": 6}
        self.identity = identity
        self.versions = {"torch": "2.13.0"}
        self.trained: list[str] = []
        self.asked: list[str] = []
        self.open = 0

    def engine(self, name, right):
        def answer(prompt):
            suite, number = prompt.rstrip("?").split()
            if f"{name}: {suite}" not in self.asked:
                self.asked.append(f"{name}: {suite}")
            return "right" if int(number) < right.get(suite, 0) else "wrong"

        return FunctionEngine(answer, name)

    @contextmanager
    def baseline(self):
        self.open += 1
        yield self.engine("baseline", self.before)
        self.open -= 1

    @contextmanager
    def tuned(self, recipe):
        name = f"{recipe.name}/{recipe.written.seed}"
        right = self.right.get(name, self.right.get(recipe.name))
        assert self.open == 0, "only one model may be held"
        self.trained.append(name)
        if isinstance(right, str):
            raise ModelError(right)
        if isinstance(right, BaseException):
            raise right
        self.open += 1
        yield Tuned(self.engine(name, right), 30.0, (f"{recipe.name}: advice",))
        self.open -= 1


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}", encoding="utf-8")
    (base / "model.safetensors").write_bytes(b"")
    (tmp_path / "corpus.jsonl").write_text('{"prompt": "a", "answer": "b"}\n', encoding="utf-8")
    for name, n in (("target", 10), ("general", 20), ("second", 10)):
        (tmp_path / f"{name}.yaml").write_text(suite_text(name, n), encoding="utf-8")
    for name, epochs in (("careless", 9), ("careful", 2), ("third", 3)):
        (tmp_path / f"{name}_recipe.yaml").write_text(
            RECIPE.format(name=name, epochs=epochs), encoding="utf-8"
        )
    return tmp_path


def sweep_options(*recipes: str, suites=("general.yaml",), **changed) -> SweepOptions:
    paths = [Path(f"{name}_recipe.yaml") for name in recipes or ("careless", "careful")]
    return SweepOptions(paths, [Path(one) for one in suites], Path("out"), **changed)


def climb(models: Fake, *recipes: str, **changed) -> int:
    chosen = sweep_options(*recipes, **changed)
    return module.climb(read_plan(chosen), chosen, models)


GOOD = {
    "careless": {"target": 10, "general": 2, "second": 1},
    "careful": {"target": 9, "general": 9, "second": 6},
    "third": {"target": 10, "general": 5, "second": 6},
}


# Measuring


def test_a_ladder_from_end_to_end(folder, capsys):
    assert climb(Fake(GOOD)) == 0
    record = read_ladder(folder / "out")
    careful, careless = record.rungs
    assert (careful.name, careful.rank, careless.rank, record.reference) == ("careful", 1, 2, "careless")
    assert careful.measured.gain == pytest.approx(0.9)
    low, high = tango_interval(0, 9, 10)
    assert careful.measured.gain_interval == (-high, -low)
    assert careful.measured.drop == pytest.approx(1 / 20)
    assert careful.measured.drop_interval == tango_interval(1, 0, 20)
    assert careless.measured.drop == pytest.approx(8 / 20)
    assert careful.seconds_training == 30
    shown = capsys.readouterr()
    assert "\n   1  careful    90.0 " in shown.out
    assert shown.out.endswith("\nrecord: out/ladder.json; page: out/ladder.html\n")
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "ladder.html",
        "ladder.json",
        "ladder.md",
        "pareto.svg",
    ]
    assert "Take 'careful'" in (folder / "out/ladder.md").read_text(encoding="utf-8")
    assert "general, careful, seed 42: 20 answers in 0 s" in shown.err


def test_the_baseline_is_asked_once_and_before_anything_is_trained(folder):
    models = Fake({**GOOD, "careless": "no luck"})
    assert climb(models, suites=("general.yaml", "second.yaml")) == 1
    assert models.asked == [
        "baseline: target",
        "baseline: general",
        "baseline: second",
        "careful/42: target",
        "careful/42: general",
        "careful/42: second",
    ]
    assert models.trained == ["careless/42", "careful/42"]


def test_drops_by_suite_and_over_all(folder):
    climb(Fake(GOOD), suites=("general.yaml", "second.yaml"))
    careless = read_ladder(folder / "out").rung("careless").measured
    assert {name: row.drop for name, row in careless.by_suite.items()} == {
        "general": pytest.approx(8 / 20),
        "second": pytest.approx(5 / 10),
    }
    assert careless.drop == pytest.approx(13 / 30)
    assert careless.drop_interval == tango_interval(13, 0, 30)


def test_seeds_are_all_trained_and_averaged(folder):
    right = {**GOOD, "careful/1": {"target": 10, "general": 10}, "careful/2": {"target": 8, "general": 6}}
    models = Fake(right)
    assert climb(models, seeds=(1, 2)) == 0
    assert models.trained == ["careless/1", "careless/2", "careful/1", "careful/2"]
    careful = read_ladder(folder / "out").rung("careful")
    assert [seed.seed for seed in careful.seeds] == [1, 2]
    assert careful.measured.drop_interval == tango_interval(2, 0, 20)
    assert (careful.measured.general.smallest_drop, careful.measured.general.largest_drop) == (0.0, 0.2)


def test_a_sample_of_the_general_probes(folder):
    models = Fake(GOOD)
    climb(models, suites=("general.yaml", "second.yaml"), sample=9)
    record = read_ladder(folder / "out")
    assert [len(suite.probes) for suite in record.suites] == [6, 3]
    assert [suite.of for suite in record.suites] == [20, 10]
    assert len(record.target.probes) == 10
    assert record.run.notes == ["a sample of 9 of 30 general probes (--sample 9)"]
    climb(models, suites=("second.yaml", "general.yaml"), sample=9)
    again = read_ladder(folder / "out")
    assert {suite.name: [probe.id for probe in suite.probes] for suite in again.suites} == {
        suite.name: [probe.id for probe in suite.probes] for suite in record.suites
    }


def test_a_suite_without_a_probe_in_the_sample_is_named(folder):
    (folder / "tiny.yaml").write_text(suite_text("tiny", 1), encoding="utf-8")
    climb(Fake(GOOD), suites=("general.yaml", "tiny.yaml"), sample=2)
    assert read_ladder(folder / "out").run.notes[1:] == [
        "tiny: none of its probes is in the sample; it sees nothing"
    ]


class Likely:
    """An engine for suites of likelihood as well."""

    kinds = frozenset({"generate", "likelihood"})
    label = "likely"

    def __init__(self, engine, logprob):
        self.engine, self.logprob = engine, logprob

    def render(self, prompt):
        return self.engine.render(prompt)

    def ask(self, requests, progress=None):
        measured = Measured(self.logprob, 10)
        return [measured if isinstance(one, Measure) else self.engine.ask([one])[0] for one in requests]


class LikelyFake(Fake):
    @contextmanager
    def baseline(self):
        with super().baseline() as engine:
            yield Likely(engine, -10.0)

    @contextmanager
    def tuned(self, recipe):
        with super().tuned(recipe) as tuned:
            yield Tuned(Likely(tuned.engine, -10.0 if recipe.name == "careful" else -900.0), None)


def test_likelihoods_are_held_against_the_baseline_that_was_kept(folder):
    text = "suite: texts\ntask: {format: text, answer: likelihood}\ngates: [{over: all, max_drop: 0.1}]\n" + (
        "probes: [{id: a, text: Some words here.}, {id: b, text: Some other words.}]\n"
    )
    (folder / "texts.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(NoEvidenceError):
        climb(LikelyFake({"careful": {}}), "careful", suites=("texts.yaml",))
    assert read_ladder(folder / "out").suites[0].probes[0].baseline.raw() == Measured(-10.0, 10)
    climb(LikelyFake(GOOD), suites=("texts.yaml",))
    drops = {one.name: one.measured.drop for one in read_ladder(folder / "out").rungs}
    assert drops == {"careful": 0.0, "careless": 1.0}


# Going on


def test_a_ladder_that_was_killed_goes_on(folder, capsys):
    killed = Fake({**GOOD, "careful": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        climb(killed)
    part = read_ladder(folder / "out")
    assert (part.missing, [one.name for one in part.rungs]) == (["careful"], ["careless"])
    models = Fake(GOOD)
    assert climb(models) == 0
    assert models.trained == ["careful/42"]
    assert models.asked == ["careful/42: target", "careful/42: general"]
    assert "careless, seed 42: measured before, kept in out/ladder.json" in capsys.readouterr().err
    assert read_ladder(folder / "out").missing == []


def test_a_ladder_with_nothing_new_loads_no_model(folder):
    climb(Fake(GOOD))
    before = (folder / "out/ladder.html").read_text(encoding="utf-8")
    models = Fake(GOOD)
    assert climb(models) == 0
    assert (models.trained, models.asked) == ([], [])
    started = re.compile(r"20\d\d-\S+")
    assert started.sub("", (folder / "out/ladder.html").read_text(encoding="utf-8")) == started.sub(
        "", before
    )


def test_a_kill_between_seeds_keeps_the_first(folder):
    with pytest.raises(KeyboardInterrupt):
        climb(Fake({**GOOD, "careless/2": KeyboardInterrupt()}), seeds=(1, 2))
    record = read_ladder(folder / "out")
    assert record.missing == ["careless", "careful"]
    models = Fake(GOOD)
    climb(models, seeds=(1, 2))
    assert models.trained == ["careless/2", "careful/1", "careful/2"]


def test_what_is_known_of_later_recipes_survives_a_second_kill(folder):
    climb(Fake(GOOD), "careless", "careful", "third")
    text = (folder / "careless_recipe.yaml").read_text(encoding="utf-8")
    (folder / "careless_recipe.yaml").write_text(text.replace("0.001", "0.002"), encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        climb(Fake({"careless": KeyboardInterrupt()}), "careless", "careful", "third")
    models = Fake(GOOD)
    climb(models, "careless", "careful", "third")
    assert models.trained == ["careless/42"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("careless_recipe.yaml", "0.001", "0.002"),
        ("corpus.jsonl", '"b"', '"c"'),
        ("general.yaml", "general 7?", "general 77?"),
        ("target.yaml", "answer: right", "answer: [right, good]"),
        ("target.yaml", "score: equals", "score: contains"),
        ("general.yaml", "score: equals", "task: {max_new_tokens: 5}\nscore: equals"),
    ],
)
def test_what_depends_on_a_change_is_measured_again(folder, file, old, new):
    climb(Fake(GOOD), "careless")
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    models = Fake(GOOD)
    climb(models, "careless")
    assert models.trained == ["careless/42"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("careless_recipe.yaml", "recipe: careless\n", "recipe: careless\nabout: Other words.\n"),
        ("general.yaml", "max_drop: 0.1", "max_drop: 0.2"),
    ],
)
def test_what_does_not_matter_is_not_measured_again(folder, file, old, new):
    climb(Fake(GOOD), "careless")
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    models = Fake(GOOD)
    climb(models, "careless")
    assert (models.trained, models.asked) == ([], [])


def test_another_base_is_another_measurement(folder):
    climb(Fake(GOOD), "careless")
    models = Fake(GOOD, identity="another")
    climb(models, "careless")
    assert models.asked[0] == "baseline: target"
    assert models.trained == ["careless/42"]


def test_a_record_that_cannot_be_used_is_said(folder, capsys):
    (folder / "out").mkdir()
    (folder / "out/ladder.json").write_text("{}", encoding="utf-8")
    assert climb(Fake(GOOD)) == 0
    assert "out/ladder.json: not the record of a ladder, version 1: " in capsys.readouterr().err


def test_pages_of_an_earlier_ladder_do_not_stay_behind(folder):
    climb(Fake(GOOD))
    with pytest.raises(KeyboardInterrupt):
        climb(Fake({"third": KeyboardInterrupt()}), "careless", "third")
    assert [path.name for path in (folder / "out").iterdir()] == ["ladder.json"]


# Failing


def test_a_recipe_that_fails_is_shown_and_the_others_are_measured(folder, capsys):
    models = Fake(
        {**GOOD, "careless": "careless_recipe.yaml:6:1: the loss became NaN\n  lower the learning_rate"}
    )
    assert climb(models, "careless", "careful", "third") == 1
    record = read_ladder(folder / "out")
    assert [one.name for one in record.rungs] == ["careful", "third", "careless"]
    assert record.rung("careless").error.startswith("careless_recipe.yaml:6:1: the loss became NaN")
    out = capsys.readouterr().out
    assert "failed: careless: careless_recipe.yaml:6:1: the loss became NaN" in out
    assert re.search(r"^ +- +careless .* failed$", out, re.MULTILINE)


def test_a_recipe_that_failed_is_tried_again(folder):
    climb(Fake({**GOOD, "careless": "no luck"}))
    models = Fake(GOOD)
    assert climb(models) == 0
    assert models.trained == ["careless/42"]
    assert read_ladder(folder / "out").rung("careless").error is None


def test_one_seed_that_fails_fails_the_recipe(folder):
    models = Fake({**GOOD, "careless/1": "no luck"})
    assert climb(models, seeds=(1, 2)) == 1
    assert models.trained == ["careless/1", "careful/1", "careful/2"]
    assert read_ladder(folder / "out").rung("careless").measured is None


def test_no_ranking_without_a_gain(folder, capsys):
    models = Fake({"careless": {"target": 1, "general": 2}, "careful": {"target": 0, "general": 9}})
    with pytest.raises(NoEvidenceError, match="^no ranking is possible: no recipe has shown to learn"):
        climb(models)
    assert "No recipe can be recommended." in capsys.readouterr().out
    assert "No recipe can be recommended." in (folder / "out/ladder.html").read_text(encoding="utf-8")


def test_a_target_that_the_baseline_masters(folder):
    models = Fake(GOOD, baseline={"target": 10, "general": 10})
    with pytest.raises(NoEvidenceError) as caught:
        climb(models)
    assert str(caught.value) == (
        "the baseline is right on all 10 probes of the target 'target', so nothing can be gained\n"
        "  give a target suite that the baseline has yet to learn"
    )
    assert models.trained == []


def test_a_report_that_cannot_be_written(folder):
    (folder / "out").write_text("", encoding="utf-8")
    models = Fake(GOOD)
    with pytest.raises(HarnessError) as caught:
        climb(models)
    assert caught.value.on_command_line == (
        "--report out: nothing can be written there: File exists\n  name another folder: --report DIR"
    )
    assert (models.trained, models.asked) == ([], [])


# What is refused before anything is trained


def ended(capsys, *arguments: str) -> tuple[int, str]:
    code = main(["ladder", *arguments])
    return code, capsys.readouterr().err.rstrip("\n")


def test_nothing_to_compare(folder, capsys):
    assert ended(capsys, "--suite", "general.yaml") == (
        4,
        "no recipes to compare\n  name them: python -m harness ladder RECIPE.yaml ... --suite SUITE",
    )
    assert ended(capsys, "careless_recipe.yaml") == (
        4,
        "no suites to see forgetting by\n  name what must be kept: --suite SUITE.yaml",
    )


def test_a_recipe_twice(folder, capsys):
    (folder / "copy.yaml").write_text(RECIPE.format(name="careful", epochs=1), encoding="utf-8")
    assert ended(
        capsys, "careless_recipe.yaml", "./careless_recipe.yaml", "careful_recipe.yaml", "copy.yaml", "--suite", "general.yaml"
    ) == (
        2,
        "copy.yaml:1:1: a second recipe called 'careful'\n  careful_recipe.yaml:1:1 is called so already\n"
        "careless_recipe.yaml: this recipe is given twice",
    )  # fmt: skip


def test_all_that_is_wrong_with_recipes_at_once(folder, capsys):
    (folder / "bad.yaml").write_text(RECIPE.format(name="bad", epochs=0), encoding="utf-8")
    text = RECIPE.format(name="greedy", epochs=1) + "replay: {file: corpus.jsonl, fraction: 0.9}\n"
    (folder / "greedy.yaml").write_text(text, encoding="utf-8")
    code, message = ended(capsys, "bad.yaml", "greedy.yaml", "gone.yaml", "--suite", "general.yaml")
    assert code == 2
    assert "bad.yaml:7:9: 'epochs' must be at least 1, saw 0" in message
    assert (
        "greedy.yaml:8:30: a replay fraction of 0.9 beside 1 examples needs 9 general ones, and there are 1"
        in message
    )
    assert "gone.yaml" in message


def test_recipes_of_two_bases(folder, capsys):
    text = RECIPE.format(name="other", epochs=1).replace("base: base", "base: ./copy")
    (folder / "other.yaml").write_text(text, encoding="utf-8")
    (folder / "copy").mkdir()
    for file in (folder / "base").iterdir():
        (folder / "copy" / file.name).write_bytes(file.read_bytes())
    assert ended(capsys, "careless_recipe.yaml", "other.yaml", "--suite", "general.yaml") == (
        2,
        "other.yaml:2:1: the base of 'other' is './copy', and that of 'careless' is 'base' (careless_recipe.yaml:2:1)\n"
        "  recipes are compared over one base",
    )


def test_recipes_of_two_targets(folder, capsys):
    text = RECIPE.format(name="other", epochs=1).replace("target.yaml", "second.yaml")
    (folder / "other.yaml").write_text(text, encoding="utf-8")
    assert ended(capsys, "careless_recipe.yaml", "other.yaml", "--suite", "general.yaml") == (
        2,
        "other.yaml:3:1: the target of 'other' is 'second.yaml', and that of 'careless' is 'target.yaml' "
        "(careless_recipe.yaml:3:1)\n  recipes are compared by how well they learn one task",
    )


def test_a_recipe_without_a_target(folder, capsys):
    text = RECIPE.format(name="other", epochs=1).replace("target: target.yaml\n", "")
    (folder / "other.yaml").write_text(text, encoding="utf-8")
    assert ended(capsys, "careless_recipe.yaml", "other.yaml", "--suite", "general.yaml") == (
        2,
        "other.yaml:1:1: the recipe 'other' has no 'target'\n"
        "  name the suite that measures what is learnt: target: path/to/suite.yaml",
    )


def test_the_target_is_no_general_suite(folder, capsys):
    assert ended(capsys, "careless_recipe.yaml", "--suite", "general.yaml", "--suite", "./target.yaml") == (
        4,
        "--suite target.yaml: is the target of the recipes\n"
        "  what is learnt cannot show what was forgotten: give other suites",
    )


def test_a_folder_of_suites_may_hold_the_target(folder):
    suites = folder / "suites"
    suites.mkdir()
    for name in ("general", "second", "target"):
        (folder / f"{name}.yaml").rename(suites / f"{name}.yaml")
    for recipe in folder.glob("*_recipe.yaml"):
        text = recipe.read_text(encoding="utf-8").replace("target.yaml", "suites/target.yaml")
        recipe.write_text(text, encoding="utf-8")
    plan = read_plan(sweep_options(suites=("suites",)))
    assert ([one.suite.name for one in plan.general], plan.target.suite.name) == (
        ["general", "second"],
        "target",
    )


def test_a_target_must_leave_room_for_a_gain(folder, capsys):
    text = "suite: target\ntask: {format: text, answer: likelihood}\ngates: [{over: each}]\n" + (
        "probes: [{id: a, text: Some words.}]\n"
    )
    (folder / "target.yaml").write_text(text, encoding="utf-8")
    code, message = ended(capsys, "careless_recipe.yaml", "--suite", "general.yaml")
    assert (code, message.splitlines()[0]) == (
        4,
        "target.yaml:1:1: the suite 'target' cannot be a target: 'answer: likelihood' compares with the baseline",
    )


def test_suites_that_cannot_be_read(folder, capsys):
    (folder / "bad.yaml").write_text("suite: bad\n", encoding="utf-8")
    code, message = ended(capsys, "careless_recipe.yaml", "--suite", "bad.yaml", "--suite", "general.yaml")
    assert code == 2
    assert "bad.yaml:1:1: " in message


CODE = """\
suite: coding
gates: [{over: all, max_drop: 0.1}]
probes: [{id: double, question: double 0?, score: {python: {tests: [assert double(2) == 4]}}}]
"""


@pytest.mark.parametrize("file", ["general.yaml", "target.yaml"])
def test_code_is_not_run_unasked(folder, capsys, file):
    (folder / file).write_text(CODE, encoding="utf-8")
    assert ended(capsys, "careless_recipe.yaml", "--suite", "general.yaml") == (
        4,
        f"{file}:3:10: the suite 'coding' runs code that a model wrote: the probe 'double' has the score 'python'\n"
        "  allow it: --allow-code (it runs confined: no network, no other process, no file but its own)",
    )


def test_among_others_a_suite_that_runs_code_is_left_out(folder):
    (folder / "coding.yaml").write_text(CODE, encoding="utf-8")
    plan = read_plan(sweep_options(suites=("general.yaml", "coding.yaml")))
    assert [one.suite.name for one in plan.general] == ["general"]
    assert [on_command_line(note) for note in plan.notes] == [
        "coding: left out, because it runs code that a model wrote; --allow-code asks it"
    ]
    plan = read_plan(sweep_options(suites=("general.yaml", "coding.yaml"), allow_code=True))
    assert ([one.suite.name for one in plan.general], plan.notes) == (["general", "coding"], ())


def test_a_reference_that_is_no_recipe(folder, capsys):
    assert ended(capsys, "careless_recipe.yaml", "--suite", "general.yaml", "--from", "carelss") == (
        4,
        "--from carelss: no recipe of this ladder has that name\n  did you mean 'careless'?",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "1,x"], "argument --seeds: must be a whole number, saw 'x'"),
        (["--seeds", "1,1"], "argument --seeds: must be different numbers, saw '1,1'"),
        (["--matched", "0"], "argument --matched: must be a number above 0 and at most 1, saw '0'"),
        (["--matched", "90"], "argument --matched: must be a number above 0 and at most 1, saw '90'"),
        (["--sample", "0"], "argument --sample: must be a whole number of at least 1, saw '0'"),
    ],
)
def test_options_that_cannot_be(folder, capsys, arguments, message):
    with pytest.raises(SystemExit):
        main(["ladder", "careless_recipe.yaml", "--suite", "general.yaml", *arguments])
    assert capsys.readouterr().err.rstrip().endswith(message)


# The command line


def test_options_reach_the_ladder(folder, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "ladder", lambda *given: seen.append(given) or 0)
    arguments = [
        "--suite",
        "general.yaml",
        "careless_recipe.yaml",
        "careful_recipe.yaml",
        "--suite",
        "second.yaml",
    ]
    options = (
        "--seeds 1,2 --sample 5 --matched 0.8 --from careful --report elsewhere --device cpu --dtype float32"
    )
    assert main(["ladder", *arguments, *options.split(), "--batch-tokens", "99"]) == 0
    chosen, settings = seen[0]
    assert chosen.recipes == [Path("careless_recipe.yaml"), Path("careful_recipe.yaml")]
    assert chosen.suites == [Path("general.yaml"), Path("second.yaml")]
    assert (chosen.seeds, chosen.sample, chosen.matched, chosen.reference) == ((1, 2), 5, 0.8, "careful")
    assert (chosen.report, settings.device, settings.dtype, settings.batch_tokens) == (
        Path("elsewhere"), "cpu", "float32", 99,
    )  # fmt: skip


# Rendering again


def test_pages_are_rendered_again_from_the_record(folder, capsys):
    climb(Fake(GOOD), "careless", "careful", "third")
    files = ["ladder.html", "ladder.json", "ladder.md", "pareto.svg"]
    before = {name: (folder / "out" / name).read_bytes() for name in files}
    table = capsys.readouterr().out
    for name in files:
        if name != "ladder.json":
            (folder / "out" / name).unlink()
    assert main(["ladder", "--render", "out"]) == 0
    assert {name: (folder / "out" / name).read_bytes() for name in files} == before
    assert capsys.readouterr().out == table


def test_pages_on_a_disk_that_is_full(folder, monkeypatch, capsys):
    climb(Fake(GOOD))
    capsys.readouterr()
    before = {path: path.read_bytes() for path in (folder / "out").iterdir()}

    def write_bytes(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    assert main(["ladder", "--render", "out"]) == 4
    assert capsys.readouterr().err == (
        "--report out: no record can be written there: No space left on device\n"
        "  make room there, or name another folder: --report DIR\n"
    )
    assert {path: path.read_bytes() for path in (folder / "out").iterdir()} == before


def test_an_argument_that_is_no_text_is_written_escaped(folder):
    climb(Fake(GOOD), command=("--from", "\udcff"))
    assert read_ladder(folder / "out").run.command == ["--from", "\\udcff"]


def test_rendered_by_other_rules(folder, capsys):
    climb(Fake(GOOD), "careless", "careful", "third")
    assert main(["ladder", "--render", "out", "--matched", "1", "--from", "third"]) == 0
    record = read_ladder(folder / "out")
    assert [(one.name, one.rank) for one in record.rungs] == [
        ("third", 1),
        ("careless", 2),
        ("careful", None),
    ]
    assert (record.matched, record.reference) == (1.0, "third")
    assert json.loads((folder / "out/ladder.json").read_text(encoding="utf-8"))["matched"] == 1.0


def test_rendered_where_the_report_is(folder):
    climb(Fake(GOOD))
    page = folder / "out/ladder.html"
    for arguments in (["--report", "out", "--render"], ["--render", "--report", "out"]):
        page.unlink()
        assert main(["ladder", *arguments]) == 0
        assert page.is_file()
    (folder / "reports").mkdir()
    (folder / "out").rename(folder / "reports/ladder")
    page = folder / "reports/ladder/ladder.html"
    page.unlink()
    assert main(["ladder", "--render"]) == 0
    assert page.is_file()


def test_nothing_is_trained_where_pages_are_rendered(folder, capsys):
    assert ended(capsys, "careless_recipe.yaml", "--render", "out") == (
        4,
        "--render reads a record and trains nothing, so it takes no recipes: saw careless_recipe.yaml",
    )


def test_nothing_to_render(folder, capsys):
    assert main(["ladder", "--render", "nowhere"]) == 4
    assert capsys.readouterr().err == (
        "nowhere/ladder.json: the record of a ladder cannot be read: No such file or directory\n"
    )


def test_generated_answers_are_what_the_fake_gives():
    """The fake is right on the first so many probes, or none of this shows anything."""
    engine = Fake(GOOD).engine("x", {"general": 2})
    from harness.engine.requests import Plain

    answers = engine.ask([Generate(Plain(f"general {i}?"), 5) for i in range(3)])
    assert answers == [Generated("right", 1), Generated("right", 1), Generated("wrong", 1)]
