"""`python -m harness ladder` with models that answer by script: what is measured, taken up again, ranked and shown as failed."""

from __future__ import annotations

import re
from contextlib import contextmanager

import pytest

from harness.engine.functions import FunctionEngine
from harness.engine.requests import LogLikelihood
from harness.engine.settings import Settings
from harness.errors import HarnessError, NoEvidenceError
from harness.stats.paired import tango_interval
from harness.stats.strata import stratified_interval
from harness.sweep.measure import Tuned
from harness.sweep.record import read_sweep
from harness.sweep.run import sweep
from tests.support.engines import Cutting, Likely
from tests.support.reads import Reads
from tests.support.suites import suite_text
from tests.support.sweeps import GOOD, Fake, run_sweep, sweep_options

# Measuring


def test_a_ladder_from_end_to_end(folder, capsys):
    assert run_sweep(Fake(GOOD)) == 0
    record = read_sweep(folder / "out")
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
    assert "\n  1?  careful    90.0 " in shown.out
    assert shown.out.endswith("\nrecord: out/ladder.json; page: out/ladder.html\n")
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "ladder.html",
        "ladder.json",
        "ladder.md",
        "pareto.svg",
    ]
    assert "Take 'careful'" in (folder / "out/ladder.md").read_text(encoding="utf-8")
    assert "general, careful, seed 42: 20 answers in " in shown.err


def test_the_baseline_is_asked_once_and_before_anything_is_trained(folder):
    models = Fake({**GOOD, "careless": "no luck"})
    assert run_sweep(models, suites=("general.yaml", "second.yaml")) == 1
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
    run_sweep(Fake(GOOD), suites=("general.yaml", "second.yaml"))
    careless = read_sweep(folder / "out").recipe("careless").measured
    assert {name: row.drop for name, row in careless.by_suite.items()} == {
        "general": pytest.approx(8 / 20),
        "second": pytest.approx(5 / 10),
    }
    assert careless.drop == pytest.approx(13 / 30)
    assert careless.drop_interval == stratified_interval([8, 5], [0, 0], [20, 10])


def test_seeds_are_all_trained_and_averaged(folder):
    right = {**GOOD, "careful/1": {"target": 10, "general": 10}, "careful/2": {"target": 8, "general": 6}}
    models = Fake(right)
    assert run_sweep(models, seeds=(1, 2)) == 0
    assert models.trained == ["careless/1", "careless/2", "careful/1", "careful/2"]
    careful = read_sweep(folder / "out").recipe("careful")
    assert [seed.seed for seed in careful.seeds] == [1, 2]
    low, high = tango_interval(2, 0, 20)
    assert careful.measured.drop_interval[0] < low
    assert high < careful.measured.drop_interval[1]
    assert (careful.measured.general.smallest_drop, careful.measured.general.largest_drop) == (0.0, 0.2)


def test_a_sample_of_the_general_probes(folder):
    models = Fake(GOOD)
    run_sweep(models, suites=("general.yaml", "second.yaml"), sample=9)
    record = read_sweep(folder / "out")
    assert [len(suite.probes) for suite in record.suites] == [6, 3]
    assert [suite.of for suite in record.suites] == [20, 10]
    assert len(record.target.probes) == 10
    assert record.run.notes == ["a sample of 9 of 30 general probes (--sample 9)"]
    run_sweep(models, suites=("second.yaml", "general.yaml"), sample=9)
    again = read_sweep(folder / "out")
    assert {suite.name: [probe.id for probe in suite.probes] for suite in again.suites} == {
        suite.name: [probe.id for probe in suite.probes] for suite in record.suites
    }


def test_one_note_a_suite_says_how_many_answers_of_all_recipes_were_cut(folder, capsys):
    """Also where some are known from an earlier ladder."""
    models = Fake(GOOD)
    scripted = models.engine
    models.engine = lambda name, right: Cutting(scripted(name, right))
    note = "cut {} of the baseline's answers and {} of those of 2 tuned models; a cut answer is judged as far as it goes"
    for _ in range(2):
        run_sweep(models)
        assert read_sweep(folder / "out").run.notes == [
            f"target: max_new_tokens (64) {note.format('100 %', '0 to 10 %')}",
            f"general: max_new_tokens (64) {note.format('50 %', '55 to 90 %')}",
        ]
    assert models.trained == ["careless/42", "careful/42"]
    assert capsys.readouterr().out.count("note: target: max_new_tokens") == 2


def test_a_suite_without_a_probe_in_the_sample_is_named(folder):
    (folder / "tiny.yaml").write_text(suite_text("tiny", 1), encoding="utf-8")
    run_sweep(Fake(GOOD), suites=("general.yaml", "tiny.yaml"), sample=2)
    assert read_sweep(folder / "out").run.notes[1:] == [
        "tiny: none of its probes is in the sample, so it detects nothing"
    ]


class LikelyFake(Fake):
    @contextmanager
    def baseline(self):
        with super().baseline() as engine:
            yield Likely(engine, -10.0)

    @contextmanager
    def tuned(self, recipe):
        with super().tuned(recipe) as tuned:
            yield Tuned(Likely(tuned.engine, -10.0 if recipe.name == "careful" else -900.0), None)


TEXTS = "suite: texts\ntask: {format: text, answer: likelihood}\ngates: [{over: all, max_rise: 0.1}]\n"


def test_likelihoods_are_held_against_the_baseline_that_was_kept(folder):
    text = f"{TEXTS}probes: [{{id: a, text: Some words here.}}, {{id: b, text: Some other words.}}]\n"
    (folder / "texts.yaml").write_text(text, encoding="utf-8")
    suites = ("general.yaml", "texts.yaml")
    with pytest.raises(NoEvidenceError):
        run_sweep(LikelyFake({"careful": {}}), "careful", suites=suites)
    assert read_sweep(folder / "out").suites[1].probes[0].baseline.raw() == LogLikelihood(-10.0, 10)
    run_sweep(LikelyFake(GOOD), suites=suites)
    rises = {one.name: one.measured.rises for one in read_sweep(folder / "out").rungs}
    assert rises == {"careful": {"texts": 0.0}, "careless": {"texts": pytest.approx(89.0)}}


def test_texts_are_not_pooled_with_what_is_right_or_wrong(folder, capsys):
    """Nor do they take part in the halves that rank and report, or count as probes that were lost."""
    run_sweep(LikelyFake(GOOD))
    alone = read_sweep(folder / "out")
    lines = "\n".join(f"  - {{id: t{place}, text: Some words here.}}" for place in range(30))
    (folder / "texts.yaml").write_text(f"{TEXTS}probes:\n{lines}\n", encoding="utf-8")
    capsys.readouterr()
    run_sweep(LikelyFake(GOOD), suites=("general.yaml", "texts.yaml"))
    record = read_sweep(folder / "out")
    for row, without in zip(record.rungs, alone.rungs, strict=True):
        assert row.measured.model_copy(update={"rises": {}}) == without.measured
        assert (row.name, row.rank, row.ranking_drop) == (without.name, without.rank, without.ranking_drop)
    assert record.held_out == alone.held_out
    out = capsys.readouterr().out
    assert "         texts, 30 texts\n" in out
    assert re.search(r"^drop on +general +rise of texts$", out, re.MULTILINE)
    assert re.search(r"^careless +40\.0 +\+8900\.0 %$", out, re.MULTILINE)
    page = (folder / "out/ladder.html").read_text(encoding="utf-8")
    assert "Texts are neither right nor wrong" in page
    assert "Some words here." not in page


def test_texts_alone_rank_nothing(folder):
    (folder / "texts.yaml").write_text(f"{TEXTS}probes: [{{id: a, text: Some words.}}]\n", encoding="utf-8")
    with pytest.raises(HarnessError) as caught:
        run_sweep(LikelyFake(GOOD), suites=("texts.yaml",))
    assert caught.value.on_command_line == (
        "--suite: no suite to rank by: texts are neither right nor wrong, so none is lost\n  give a suite with answers too"
    )


def test_probes_that_go_together_widen_the_ladder_as_they_do_the_gate(folder):
    probes = "\n".join(
        f"  - {{id: p{i}, cluster: t{i // 8}, question: general {i}?, answer: right}}" for i in range(160)
    )
    head = "suite: general\nscore: equals\ngates: [{over: all, max_drop: 0.1, max_loss: 1}]\nprobes:\n"
    (folder / "general.yaml").write_text(head + probes, encoding="utf-8")
    models = Fake({"careful": {"target": 10, "general": 152}}, baseline={"target": 0, "general": 160})
    run_sweep(models, "careful")
    (row,) = read_sweep(folder / "out").rungs
    gate = next(gate for gate in row.seeds[0].gates if gate.slice == "all")
    assert (row.measured.verdict, gate.verdict) == ("INCONCLUSIVE", "INCONCLUSIVE")
    assert row.measured.drop_interval == pytest.approx(gate.interval)


CHECKLIST = """\
suite: checks
score: equals
gates: [{over: each}]
probes:
  - {id: one, question: checks 0?, answer: right, also_ask: [checks 1?, checks 2?]}
"""


class Worded(Fake):
    """Tuned models are wrong on a checklist in some of its words."""

    def __init__(self, right, wrong):
        super().__init__(right)
        self.wrong = {f"checks {number}?" for number in wrong}
        self.again = []

    @contextmanager
    def tuned(self, recipe):
        def base(prompt):
            self.again.append(prompt)
            return "right"

        with super().tuned(recipe) as tuned:
            scripted = tuned.engine.function
            engine = FunctionEngine(lambda prompt: "wrong" if prompt in self.wrong else scripted(prompt))
            yield Tuned(engine, None, baseline=FunctionEngine(base))


@pytest.mark.parametrize(
    ("wrong", "verdict", "again"), [((), "RETAINED", 0), ((0,), "RETAINED", 3), ((0, 1, 2), "FORGOTTEN", 3)]
)
def test_a_single_probe_that_is_lost_is_asked_again_in_other_words(folder, wrong, verdict, again):
    """As the gate does; the base is asked again only if there is a loss."""
    (folder / "checks.yaml").write_text(CHECKLIST, encoding="utf-8")
    models = Worded({"careful": {"target": 9, "general": 9, "checks": 3}}, wrong)
    models.before["checks"] = 3
    assert run_sweep(models, "careful", suites=("general.yaml", "checks.yaml")) == 0
    (seed,) = read_sweep(folder / "out").recipe("careful").seeds
    assert [row.verdict for row in seed.gates if row.suite == "checks"] == [verdict]
    assert len(models.again) == again


# Going on


def test_a_ladder_that_was_killed_goes_on(folder, capsys):
    killed = Fake({**GOOD, "careful": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        run_sweep(killed)
    part = read_sweep(folder / "out")
    assert (part.missing, [one.name for one in part.rungs]) == (["careful"], ["careless"])
    models = Fake(GOOD)
    assert run_sweep(models) == 0
    assert models.trained == ["careful/42"]
    assert models.asked == ["careful/42: target", "careful/42: general"]
    assert "careless, seed 42: measured before, kept in out/ladder.json" in capsys.readouterr().err
    assert read_sweep(folder / "out").missing == []


def test_a_ladder_with_nothing_new_loads_no_model(folder):
    run_sweep(Fake(GOOD))
    before = (folder / "out/ladder.html").read_text(encoding="utf-8")
    models = Fake(GOOD)
    assert run_sweep(models) == 0
    assert (models.trained, models.asked) == ([], [])
    started = re.compile(r"20\d\d-\S+")
    assert started.sub("", (folder / "out/ladder.html").read_text(encoding="utf-8")) == started.sub(
        "", before
    )


def test_a_kill_between_seeds_keeps_the_first(folder):
    with pytest.raises(KeyboardInterrupt):
        run_sweep(Fake({**GOOD, "careless/2": KeyboardInterrupt()}), seeds=(1, 2))
    record = read_sweep(folder / "out")
    assert record.missing == ["careless", "careful"]
    models = Fake(GOOD)
    run_sweep(models, seeds=(1, 2))
    assert models.trained == ["careless/2", "careful/1", "careful/2"]


def test_what_is_known_of_later_recipes_survives_a_second_kill(folder):
    run_sweep(Fake(GOOD), "careless", "careful", "third")
    text = (folder / "careless_recipe.yaml").read_text(encoding="utf-8")
    (folder / "careless_recipe.yaml").write_text(text.replace("0.001", "0.002"), encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        run_sweep(Fake({"careless": KeyboardInterrupt()}), "careless", "careful", "third")
    models = Fake(GOOD)
    run_sweep(models, "careless", "careful", "third")
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
        ("general.yaml", "max_drop: 0.1", "max_drop: 0.2"),
        ("general.yaml", "category: a,", "category: b,"),
        ("general.yaml", "category: a,", "category: a, cluster: t,"),
    ],
)
def test_what_depends_on_a_change_is_measured_again(folder, file, old, new):
    run_sweep(Fake(GOOD), "careless")
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    models = Fake(GOOD)
    run_sweep(models, "careless")
    assert models.trained == ["careless/42"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("careless_recipe.yaml", "recipe: careless\n", "recipe: careless\nabout: Other words.\n"),
        ("general.yaml", "suite: general\n", "suite: general\nabout: Other words.\n"),
    ],
)
def test_what_does_not_matter_is_not_measured_again(folder, file, old, new):
    run_sweep(Fake(GOOD), "careless")
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    models = Fake(GOOD)
    run_sweep(models, "careless")
    assert (models.trained, models.asked) == ([], [])


def test_another_base_is_another_measurement(folder):
    run_sweep(Fake(GOOD), "careless")
    models = Fake(GOOD, identity="another")
    run_sweep(models, "careless")
    assert models.asked[0] == "baseline: target"
    assert models.trained == ["careless/42"]


def test_a_record_that_cannot_be_used_is_said(folder, capsys):
    (folder / "out").mkdir()
    (folder / "out/ladder.json").write_text("{}", encoding="utf-8")
    assert run_sweep(Fake(GOOD)) == 0
    assert "out/ladder.earlier.json: not the record of a ladder, version 1: " in capsys.readouterr().err


def test_pages_of_an_earlier_ladder_do_not_stay_behind(folder):
    run_sweep(Fake(GOOD))
    with pytest.raises(KeyboardInterrupt):
        run_sweep(Fake({"third": KeyboardInterrupt()}), "careless", "third")
    assert [path.name for path in (folder / "out").iterdir()] == ["ladder.json"]


def test_an_earlier_ladder_does_not_pass_for_one_that_could_not_begin(folder, monkeypatch):
    """Its record waits under another name, and the next one goes on from it."""
    run_sweep(Fake(GOOD))
    general = (folder / "general.yaml").read_text(encoding="utf-8")
    (folder / "general.yaml").write_text("suite: general\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(HarnessError):
            sweep(sweep_options(), Settings())
        left = {path.name for path in (folder / "out").iterdir()}
        assert left == {".ladder.json.lock", "ladder.earlier.json"}
    (folder / "general.yaml").write_text(general, encoding="utf-8")
    models = Fake(GOOD)
    run_sweep(models)
    assert (models.trained, models.asked) == ([], [])
    assert not (folder / "out/ladder.earlier.json").exists()


def test_an_earlier_ladder_waits_while_the_baseline_cannot_be_asked(folder):
    run_sweep(Fake(GOOD))
    (folder / "general.yaml").write_text(suite_text("general", 12), encoding="utf-8")
    with pytest.raises(NoEvidenceError):
        run_sweep(Fake(GOOD, baseline={"target": 10, "general": 10}, identity="another"))
    assert [path.name for path in (folder / "out").iterdir()] == ["ladder.earlier.json"]


# Failing


def test_a_recipe_that_fails_is_shown_and_the_others_are_measured(folder, capsys):
    models = Fake(
        {**GOOD, "careless": "careless_recipe.yaml:6:1: the loss became NaN\n  lower the learning_rate"}
    )
    assert run_sweep(models, "careless", "careful", "third") == 1
    record = read_sweep(folder / "out")
    assert [one.name for one in record.rungs] == ["careful", "third", "careless"]
    assert record.recipe("careless").error.startswith("careless_recipe.yaml:6:1: the loss became NaN")
    out = capsys.readouterr().out
    assert "failed: careless: careless_recipe.yaml:6:1: the loss became NaN" in out
    assert re.search(r"^ +- +careless .* failed$", out, re.MULTILINE)


def test_a_recipe_that_failed_is_tried_again(folder):
    run_sweep(Fake({**GOOD, "careless": "no luck"}))
    models = Fake(GOOD)
    assert run_sweep(models) == 0
    assert models.trained == ["careless/42"]
    assert read_sweep(folder / "out").recipe("careless").error is None


def test_one_seed_that_fails_fails_the_recipe(folder):
    models = Fake({**GOOD, "careless/1": "no luck"})
    assert run_sweep(models, seeds=(1, 2)) == 1
    assert models.trained == ["careless/1", "careful/1", "careful/2"]
    assert read_sweep(folder / "out").recipe("careless").measured is None


def test_no_ranking_without_a_gain(folder, capsys):
    models = Fake({"careless": {"target": 1, "general": 2}, "careful": {"target": 0, "general": 9}})
    with pytest.raises(NoEvidenceError, match="^no ranking is possible: no recipe has shown to learn"):
        run_sweep(models)
    assert "No recipe can be recommended." in capsys.readouterr().out
    assert "No recipe can be recommended." in (folder / "out/ladder.html").read_text(encoding="utf-8")


def test_a_target_that_the_baseline_masters(folder):
    models = Fake(GOOD, baseline={"target": 10, "general": 10})
    with pytest.raises(NoEvidenceError) as caught:
        run_sweep(models)
    assert str(caught.value) == (
        "the baseline is right on all 10 probes of the target 'target', so nothing can be gained\n"
        "  give a target suite that the baseline has yet to learn"
    )
    assert models.trained == []


def test_a_report_that_cannot_be_written(folder):
    (folder / "out").write_text("", encoding="utf-8")
    models = Fake(GOOD)
    with pytest.raises(HarnessError) as caught:
        run_sweep(models)
    assert caught.value.on_command_line == (
        "--report=out: nothing can be written there: File exists\n  name another folder: --report=DIR"
    )
    assert (models.trained, models.asked) == ([], [])


SENTENCE = "Right as the rain in spring."
SALAD = "Spring the in rain right as."


class Writes(Fake):
    """Answers in sentences, the careless model in salads; the base knows the sentence, and stays beside tuned models."""

    beside = True

    def base(self):
        scripted = self.engine("baseline", self.before)
        return Reads(lambda prompt: scripted.function(prompt).replace("right", SENTENCE), [SENTENCE])

    @contextmanager
    def baseline(self):
        yield self.base()

    @contextmanager
    def tuned(self, recipe):
        with super().tuned(recipe) as tuned:
            says = SALAD if recipe.name == "careless" else SENTENCE
            engine = FunctionEngine(lambda prompt: tuned.engine.function(prompt).replace("right", says))
            yield Tuned(engine, None, baseline=self.base() if self.beside else None)


@pytest.fixture
def prose(folder):
    """The folder, with a general suite that asks for word order."""
    for name, old, new in (
        ("target", "score: equals", "score: contains"),
        ("general", "score: equals", "score: {mentions: {fluent: true}}"),
        ("general", "answer: right", "answer: rain"),
    ):
        path = folder / f"{name}.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return folder


def test_word_order_is_measured_by_the_base_beside_a_tuned_model(prose):
    assert run_sweep(Writes(GOOD)) == 0
    careful, careless = read_sweep(prose / "out").rungs
    assert (careful.measured.drop, careless.measured.drop) == (1 / 20, 10 / 20)
    assert careless.seeds[0].suites["general"][0].word_order == 0.0


def test_without_a_base_beside_it_nothing_is_right_by_chance(prose):
    models = Writes(GOOD)
    models.beside = False
    assert run_sweep(models, "careful") == 1
    (careful,) = read_sweep(prose / "out").rungs
    assert "whose word order was not measured, which 'fluent' asks for" in careful.error
