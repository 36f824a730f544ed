"""What `calibrate` makes of a baseline that answers by script, under conditions that agree or do not."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass

import pytest

from harness.authoring.conditions import Condition, equivalent_conditions, two_engines
from harness.authoring.noise_floor import measure
from harness.authoring.noise_floor_text import calibration_lines
from harness.cli.calibrate import report
from harness.cli.main import main
from harness.engine.batching import Budget
from harness.engine.functions import FunctionEngine
from harness.engine.requests import LogLikelihood
from harness.errors import EngineError
from harness.stats.clusters import student_quantile
from harness.stats.power import NotRetained, minimum_margin, noise_drop, power
from harness.stats.rates import wilson_interval
from harness.wording import percent
from tests.support.suites import suite_text


def numbers(n: int, gates: str, name: str = "numbers") -> str:
    return suite_text(name, n, gates, ids="p")


def condition(name: str, right: set[int] | range) -> Condition:
    """A baseline that is right on these probes, which it knows by the number in the question."""

    def answer(prompt: str) -> str:
        return "right" if int(prompt.split()[1].rstrip("?")) in right else f"wrong: {prompt}"

    return Condition(name, FunctionEngine(answer, "base"))


def same(right: set[int] | range) -> list[Condition]:
    return [condition("first", right), condition("second", right)]


def by_slice(found):
    return {one.slice: one for one in found.slices}


ALL = "{over: all, max_drop: 0.10}"


def test_accuracies_and_which_probes_are_right(read):
    found = measure(read(numbers(6, ALL)), same({0, 1, 2}))
    assert (found.suite, found.model, found.conditions, found.n) == (
        "numbers",
        "base",
        ("first", "second"),
        6,
    )
    assert found.always == ("p0", "p1", "p2")
    assert found.never == ("p3", "p4", "p5")
    assert found.flipped == ()
    assert (found.flip_rate, found.reworded) == (0.0, 0)
    slices = by_slice(found)
    assert list(slices) == ["all", "category[a]", "category[b]"]
    assert slices["all"].accuracies == (0.5, 0.5)
    assert slices["category[a]"].accuracies == (2 / 3, 2 / 3)
    assert slices["category[b]"].accuracies == (1 / 3, 1 / 3)


def test_flips_count_whichever_way_they_go(read):
    suite = read(numbers(100, ALL))
    found = measure(suite, [condition("first", range(60)), condition("second", range(4, 62))])
    assert found.flipped == ("p0", "p1", "p2", "p3", "p60", "p61")
    assert found.flip_rate == 0.06
    assert found.reworded == 6
    assert found.flip_rate_at_most == wilson_interval(6, 100)[1]
    assert by_slice(found)["all"].flips == 6
    assert by_slice(found)["all"].noise == noise_drop(100, found.flip_rate_at_most)
    assert by_slice(found)["all"].accuracies == (0.60, 0.58)


def test_margins_are_for_the_upper_bound_of_the_flip_rate(read):
    suite = read(numbers(100, ALL))
    noisy = measure(suite, [condition("first", range(60)), condition("second", range(5, 65))])
    one = by_slice(noisy)["all"]
    at_most = wilson_interval(10, 100)[1]
    assert one.suggested == minimum_margin(100, at_most / 2, one.noise)
    assert one.suggested > minimum_margin(100, 0.05)


def test_margins_are_for_the_flips_of_a_fine_tune_where_these_are_more(read):
    suite = read(numbers(400, ALL))
    quiet = measure(suite, same(range(240)))
    assert quiet.flip_rate_at_most < 0.01
    assert by_slice(quiet)["all"].suggested == minimum_margin(400, 0.025)
    assert by_slice(measure(suite, same(range(240)), tuning_flips=0.2))["all"].suggested == minimum_margin(
        400, 0.1
    )
    silent = by_slice(measure(suite, same(range(240)), tuning_flips=0.0))["all"]
    assert silent.suggested == minimum_margin(400, quiet.flip_rate_at_most / 2)


def test_a_margin_within_noise_is_told(read):
    found = measure(read(numbers(400, "{over: all, max_drop: 0.02}")), same(range(240)), tuning_flips=0.10)
    (remark,) = by_slice(found)["all"].remarks
    assert remark == (
        "the margin is within noise: at 10.0 % flips and no loss, 5 % of runs drop by over 2.5 points"
    )


def test_clusters_widen_intervals(read):
    text = numbers(100, ALL)
    lines = [
        line.replace("{id: p", f"{{cluster: t{number % 5}, id: p") if "{id: p" in line else line
        for number, line in enumerate(text.splitlines())
    ]
    one = by_slice(measure(read("\n".join(lines) + "\n"), same(range(60))))["all"]
    assert one.clusters == 5
    assert one.suggested == minimum_margin(100, 0.025, one.noise, student_quantile(4))
    assert one.remarks[0] == "few templates: 5 clusters say little of how others would fare"


def test_what_the_baseline_knows_bears_on_max_loss(read):
    gate = "{over: all, max_drop: 0.10, max_loss: 0.15}"
    few = by_slice(measure(read(numbers(100, gate)), same(range(15))))["all"]
    assert few.remarks[-1] == (
        "not gated: the baseline knows 15 of 100 probes, and a loss of at most 15 % of that needs 16"
    )
    some = by_slice(measure(read(numbers(100, gate)), same(range(40))))["all"]
    assert some.retained == 1 - power(100, 0.0, 0.025, NotRetained(0.10, 0.15, 40))
    assert some.remarks == (
        f"'max_loss' is too small for a baseline that knows 40: at 5.0 % flips and no loss it is RETAINED in "
        f"{percent(some.retained)} of runs",
        "'max_loss' is the stricter margin: 15 % of 40.0 % right are 6.0 points",
    )


def test_texts_have_margins_of_their_own(read):
    suite = read(
        "suite: texts\ntask: {format: text, answer: likelihood}\n"
        "gates: [{over: all, max_rise: 0.001}, {over: category, max_rise: 0.01}]\nprobes:\n"
        + "\n".join(f"  - {{id: p{i}, category: {'ab'[i > 0]}, text: one two {i}}}" for i in range(50))
    )

    class Reader:
        label = "base"
        kinds = frozenset({"likelihood"})

        def ask(self, requests, progress=None):
            return [LogLikelihood(-10.0, 5) for _ in requests]

    slices = by_slice(measure(suite, [Condition("first", Reader()), Condition("second", Reader())]))
    assert (slices["all"].of_texts, slices["all"].suggested) == (True, 0.008)
    assert (
        slices["all"]
        .remarks[0]
        .startswith("the margin is too small for 50 texts: without a loss it is RETAINED in ")
    )
    assert slices["category[a]"].remarks == ("not gated: 1 text, a mean needs 2",)
    assert slices["category[b]"].remarks == ()


def test_an_answer_in_other_words_is_told_apart_from_a_flip(read):
    suite = read(numbers(4, ALL))
    engines = [FunctionEngine(lambda prompt: "no", "base"), FunctionEngine(lambda prompt: "never", "base")]
    found = measure(suite, [Condition(str(i), engine) for i, engine in enumerate(engines)])
    assert (found.reworded, found.flipped, found.never) == (4, (), ("p0", "p1", "p2", "p3"))


def test_a_margin_that_the_probes_support(read):
    found = measure(read(numbers(200, "{over: all, max_drop: 0.10}")), same(range(160)))
    one = by_slice(found)["all"]
    assert (one.margin, one.suggested, one.remarks) == (0.10, 0.05, ())
    assert one.retained == 1 - power(200, 0.0, 0.025, NotRetained(0.10, 0.15, 160))


def test_slices_without_a_gate_have_no_margin(read):
    found = measure(read(numbers(40, ALL)), same(range(20)))
    one = by_slice(found)["category[a]"]
    assert (one.margin, one.retained, one.suggested, one.remarks) == (None, None, None, ())


@pytest.mark.parametrize(
    ("n", "right", "gate", "slice", "remarks"),
    [
        (
            200, 60, "{over: all, max_drop: 0.10, max_loss: 1}", "all",
            ["floor: 30.0 % right; there is little to lose"],
        ),
        (
            100, 97, ALL, "all",
            ["ceiling: 97.0 % right; so easy that a model may forget much unnoticed"],
        ),
        (
            100, 10, ALL, "all",
            ["floor: 10.0 % right; there is little to lose",
             "VACUOUS: losing every right answer would be within the margin"],
        ),
        (
            20, 12, ALL, "all",
            ["not gated: 20 probes, a margin of 10 points needs 25"],
        ),
        (
            30, 30, "{over: all, max_drop: 0.10}", "all",
            ["ceiling: 100.0 % right; so easy that a model may forget much unnoticed",
             "the margin is within noise: at 8.3 % flips and no loss, 5 % of runs drop by over 10.0 points"],
        ),
        (
            6, 4, "{over: category, max_drop: 0.20}", "category[a]",
            ["not gated: 3 probes, a margin of 20 points needs 11"],
        ),
        (
            10, 6, "{over: each}", "each",
            ["4 of 10 probes have nothing to lose and are skipped"],
        ),
        (
            10, 0, "{over: each}", "each",
            ["floor: 0.0 % right; there is little to lose", "VACUOUS: the baseline is right on no probe; ask what it can answer"],
        ),
        (
            10, 9, "{over: each, require: pass}", "each",
            ["the baseline itself fails 1 of 10 probes"],
        ),
        (10, 6, "{over: all, max_drop: 0.5, max_loss: 1}", "all", []),
    ],
)  # fmt: skip
def test_remarks(read, n, right, gate, slice, remarks):
    found = measure(read(numbers(n, gate)), same(range(right)))
    assert list(by_slice(found)[slice].remarks) == remarks


def test_probes_that_flip_under_a_gate_over_each(read):
    conditions = [condition("first", range(6)), condition("second", range(7))]
    found = measure(read(numbers(10, "{over: each}")), conditions)
    assert by_slice(found)["each"].remarks == (
        "3 of 10 probes have nothing to lose and are skipped",
        "1 of 10 probes flip without any tuning, and may be asked again for that alone",
    )


def test_texts_are_right_by_definition_and_held_against_the_first_condition(read):
    suite = read(
        "suite: texts\ntask: {format: text, answer: likelihood}\ngates: [{over: all, max_rise: 0.1}]\n"
        "probes: [{id: a, text: one two}, {id: b, text: three four}]\n"
    )

    @dataclass
    class Reader:
        worse: float
        label: str = "base"
        kinds: frozenset[str] = frozenset({"likelihood"})

        def ask(self, requests, progress=None):
            return [LogLikelihood(-10.0 - self.worse * (i == 0), 5) for i, _ in enumerate(requests)]

    found = measure(suite, [Condition("first", Reader(0.0)), Condition("second", Reader(2.0))])
    assert (found.always, found.flipped) == (("b",), ("a",))
    assert not any("ceiling" in remark for one in found.slices for remark in one.remarks)


def test_a_model_that_cannot_answer(read):
    suite = read(
        "suite: c\ntask: {format: text, answer: choose}\ngates: [{over: each}]\n"
        "probes: [{id: a, question: q, choices: [x, y], answer: x}]\n"
    )
    with pytest.raises(
        EngineError, match=r"s.yaml:1:1: the suite 'c' cannot be asked\n  base: it has no 'answer: choose'"
    ):
        measure(suite, same({0}))


def test_a_model_that_breaks_is_named_with_the_suite(read):
    broken = Condition("first", FunctionEngine(lambda prompt: None, "base"))
    with pytest.raises(
        EngineError,
        match=r"s.yaml:1:1: the suite 'numbers' cannot be asked: the probe 'p0'\n  base: must return text",
    ):
        measure(read(numbers(2, ALL)), [broken, broken])


def test_the_conditions_of_an_engine_are_batches_of_two_sizes(read):
    @dataclass
    class Batched:
        budget: Budget
        model: object = None

    suite = read(numbers(60, ALL))  # 60 probes of 2 words and answers of 64 tokens
    engine = Batched(Budget(8192), model=object())
    first, second = equivalent_conditions(engine, suite)
    assert first.engine is engine
    assert second.engine.model is engine.model
    assert (first.engine.budget.tokens, second.engine.budget.tokens) == (8192, (60 * (64 + 1.4) + 1.4) // 2)
    assert [first.name, second.name] == ["batches of 8192 tokens", "batches of 1962 tokens"]
    _, small = equivalent_conditions(Batched(Budget(400)), suite)
    assert small.engine.budget.tokens == 200


def on(backend: str | None) -> FunctionEngine:
    """A baseline on an engine of this name."""
    engine = FunctionEngine(lambda prompt: prompt, "base")
    if backend is not None:
        engine.backend = backend
    return engine


def test_two_engines_of_one_model_are_two_conditions():
    found = two_engines(on("transformers"), on("vllm"))
    assert [condition.name for condition in found] == ["base on transformers", "base on vllm"]
    for backend in ("vllm", None):
        with (
            pytest.raises(EngineError, match="base and base both run on vllm, so nothing")
            if backend
            else nullcontext()
        ):
            two_engines(on(backend), on(backend))


# Output


def test_what_a_person_reads(read):
    suite = read(numbers(40, "{over: all, max_drop: 0.10}, {over: category, max_drop: 0.15}"))
    found = measure(suite, [condition("first", range(24)), condition("second", range(25))])
    assert list(calibration_lines(found)) == [
        "numbers: 40 probes, asked of base under 2 equivalent conditions",
        "  first: 60.0 % right",
        "  second: 62.5 % right",
        "  1 of 40 probes flipped (2.5 %, with 95 % confidence at most 10.5 %), 1 answer worded differently",
        "",
        "slice   n        right  flips  noise  margin  retained  suggested",
        "all    40  60.0 / 62.5      1    7.5      10      47.3         15",
        "a      20  60.0 / 65.0      1   10.0      15      45.1         23",
        "b      20         60.0      0   10.0      15      45.1         23",
        "right and retained in %, the rest in points, at 10.5 % flips and no loss (that bound): noise is the drop that",
        "5 % of runs exceed; retained, how often the gate is RETAINED; suggested, the smallest margin at which it is in",
        "80 % of runs.",
        "",
        "warning: numbers · all: the margin is too small for 40 probes: at 10.5 % flips and no loss it is RETAINED in 47.3 % of runs",
        "warning: numbers · all: 'max_loss' is the stricter margin: 15 % of 60.0 % right are 9.0 points",
        "warning: numbers · a: the margin is too small for 20 probes: at 10.5 % flips and no loss it is RETAINED in 45.1 % of runs",
        "warning: numbers · b: the margin is too small for 20 probes: at 10.5 % flips and no loss it is RETAINED in 45.1 % of runs",
        "",
        "always right (24): p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15, p16, p17, p18, p19,",
        "  p20, p21, p22, p23",
        "never right (15): p25, p26, p27, p28, p29, p30, p31, p32, p33, p34, p35, p36, p37, p38, p39",
        "right at times (1): p24",
    ]


def test_suites_are_printed_one_after_the_other(read, capsys):
    suites = [read(numbers(2, ALL, name)) for name in ("one", "two")]
    report(suites, lambda suite: same({0}))
    out, err = capsys.readouterr()
    assert out.startswith("one: 2 probes, asked of base under 2 equivalent conditions\n")
    assert "\n\ntwo: 2 probes" in out
    assert err.startswith("one, first: 2 answers in ")


def test_json(read, capsys):
    report([read(numbers(2, ALL))], lambda suite: same({0}), as_json=True)
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["suite"], found["always"], found["never"]) == ("numbers", ["p0"], ["p1"])
    assert found["slices"][0]["accuracies"] == [0.5, 0.5]


# The command, as far as it goes without a model


def test_a_fixture_is_no_baseline(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(numbers(2, ALL), encoding="utf-8")
    assert main(["calibrate", "s.yaml", "--model", "fixtures/lora.yaml"]) == 4
    assert capsys.readouterr().err == (
        "fixtures/lora.yaml is a recipe, and suites are calibrated on a baseline\n"
        "  name the recipe's base instead\n"
    )


def test_bad_suites_are_told_before_a_model_is_looked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text("suite: s\n", encoding="utf-8")
    assert main(["calibrate", "s.yaml", "--model", "nowhere"]) == 2
    assert "nowhere" not in capsys.readouterr().err


def test_a_suite_that_runs_code_needs_permission(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(
        "suite: s\nscore: {python: {tests: ['assert f() == 1']}}\ngates: [{over: each}]\n"
        "probes: [{id: a, question: q}]\n",
        encoding="utf-8",
    )
    assert main(["calibrate", "s.yaml", "--model", "nowhere"]) == 4
    assert capsys.readouterr().err == (
        "s.yaml:4:10: the suite 's' runs code that a model wrote: the probe 'a' has the score 'python'\n"
        "  allow it: --allow-code (it runs confined: no network, no other process, no file but its own)\n"
    )
