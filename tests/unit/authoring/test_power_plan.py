"""What `plan` says of suites: each number against the statistics, and the table and the JSON around them."""

from __future__ import annotations

import json
import time
from math import prod

import pytest

from harness.authoring.extent import extent, needed
from harness.authoring.gate_power import Assumed
from harness.authoring.power import run_power
from harness.authoring.power_text import chance, in_points, power_lines
from harness.cli.main import command_line, main
from harness.engine.speeds import given_speed
from harness.gate.policy import MAX_DROP_OVERALL
from harness.gate.rules import slice_rule
from harness.stats.checklist import chance_red, lost_by_majority
from harness.stats.clusters import student_quantile
from harness.stats.paired import least_to_retain
from harness.stats.power import (
    FLIP_RATES,
    TUNING_FLIPS,
    Confirmed,
    OverMargin,
    Significant,
    minimum_detectable_drop,
    power,
    probability_retained,
    probes_for,
)

PROBES = "\n".join(
    f"  - {{id: p{i}, category: {'abc'[i % 3]}, question: What is number {i} called?, answer: n{i}}}"
    for i in range(150)
)
SUITE = f"""\
suite: numbers
task: {{prompt: "{{question}}", max_new_tokens: 20}}
score: contains
gates:
  - {{over: all, max_drop: 0.10}}
  - {{over: category, max_drop: 0.25, on_inconclusive: fail}}
  - {{over: each}}
probes:
{PROBES}
"""
OVERALL = Confirmed(MAX_DROP_OVERALL, 0.01)

TABLE = [
    "suite     slice      n     margin  catches  red at 2 %  red at 5 %  red at 10 %  retained    more  cases  tokens  seconds",
    "overall   all      150          3      9.4         0.1         0.6          0.8      44.3    +236      1",
    "any gate  1 suite  150                             0.1         1.0          6.4                      155   3,424        9",
    "numbers   all      150         10     13.1        <0.1        <0.1         <0.1      99.9  enough      1   3,424        9",
    "numbers   a         50  25 (fail)     19.5        <0.1        <0.1          0.1     >99.9  enough      1",
    "numbers   b         50  25 (fail)     19.5        <0.1        <0.1          0.1     >99.9  enough      1",
    "numbers   c         50  25 (fail)     19.5        <0.1        <0.1          0.1     >99.9  enough      1",
    "numbers   each     150          -      1.9        <0.1         0.4          5.5         -       -    150",
]


def clustered(n: int, clusters: int, gates: str = "{over: all, max_drop: 0.10}") -> str:
    probes = "\n".join(
        f"  - {{id: p{i}, category: c, cluster: t{i % clusters}, question: Word {i}?, answer: n{i}}}"
        for i in range(n)
    )
    return f"suite: s\nscore: contains\ngates: [{gates}]\nprobes:\n{probes}\n"


@pytest.fixture
def suite(read):
    return read(SUITE)


@pytest.fixture
def found(suite):
    return run_power([suite], Assumed(max_drop_overall=0.03), given_speed(400))


def test_one_row_a_gate_and_slice_in_the_order_of_the_file(found):
    assert [(row.slice, row.n, row.cases) for row in found.gates] == [
        ("all", 150, 1),
        ("category[a]", 50, 1),
        ("category[b]", 50, 1),
        ("category[c]", 50, 1),
        ("each", 150, 150),
    ]


def test_the_overall_gate_has_its_own_rule(found):
    row = found.overall
    assert (row.suite, row.slice, row.n, row.margin) == ("overall", "all", 150, 0.03)
    assert row.catches == minimum_detectable_drop(150, 0.025, OVERALL)
    assert row.false_alarms == {rate: power(150, 0.0, rate / 2, OVERALL) for rate in FLIP_RATES}
    assert row.more_probes == probes_for(0.05, 0.025, OVERALL) - 150
    assert found.probes_for_5_points == probes_for(0.05, 0.025, OVERALL)


def test_each_probe_counts_once_in_the_overall_gate(read):
    only = read(SUITE.replace("  - {over: all, max_drop: 0.10}\n", ""))
    assert (
        run_power([read(SUITE)], Assumed(max_drop_overall=0.03)).overall.n
        == run_power([only], Assumed(max_drop_overall=0.03)).overall.n
        == 150
    )


def test_a_confirmed_gate_has_its_share_of_the_level(read):
    suite = read(SUITE.replace(", on_inconclusive: fail", ""))
    found = run_power([suite], Assumed())
    row = found.gates[0]
    assert found.tests == 4
    assert (row.margin, row.on_inconclusive, row.gated) == (0.10, "confirmed", True)
    assert row.catches == minimum_detectable_drop(150, 0.025, Confirmed(0.10, 0.05 / 4))
    assert row.false_alarms[0.10] == power(150, 0.0, 0.05, Confirmed(0.10, 0.05 / 4))
    assert row.opens[0.10] == power(150, 0.0, 0.05, Significant(0.05 / 4))
    assert row.retained == probability_retained(150, 0.10, 0.025)
    assert row.more_probes == max(0, probes_for(0.15, 0.025, Confirmed(0.10, 0.05 / 4)) - 150)


def test_rules_that_are_not_confirmed_share_no_level(found):
    assert found.tests == 1


def test_a_gate_under_fail_fails_unless_it_is_retained(found):
    row = found.gates[1]
    assert row.on_inconclusive == "fail"
    assert row.false_alarms[TUNING_FLIPS] == pytest.approx(1 - row.retained)


@pytest.mark.parametrize("how", ["observed", "pass"])
def test_the_other_rules(read, how):
    row = run_power([read(SUITE.replace("inconclusive: fail", f"inconclusive: {how}"))], Assumed()).gates[1]
    assert row.false_alarms[0.10] == power(50, 0.0, 0.05, OverMargin(0.25, how))


def test_strict_runs_fail_every_gate_that_is_not_retained(suite):
    found = run_power([suite], Assumed(strict=True, max_drop_overall=0.03))
    assert [row.on_inconclusive for row in (found.overall, *found.gates)] == ["fail"] * 5 + [None]
    assert found.overall.false_alarms[0.05] == pytest.approx(1 - found.overall.retained)
    assert found.tests == 0


def test_a_checklist_is_red_for_two_lost_probes(found):
    row = found.gates[-1]
    lost = [lost_by_majority(2, 0.05)] * 150
    assert row.false_alarms[0.10] == pytest.approx(chance_red([], lost))
    assert (row.margin, row.retained, row.more_probes) == (None,) * 3


@pytest.mark.parametrize(
    ("more", "asks", "hard"),
    [("", 2, False), (", also_ask: [u, v]", 4, False), (", severity: critical", 2, True)],
)
def test_a_checklist_by_severity_and_other_words(read, more, asks, hard):
    probes = "\n".join(f"  - {{id: p{i}, question: q{i}, answer: a{more}}}" for i in range(10))
    (row,) = run_power(
        [read(f"suite: s\nscore: contains\ngates: [{{over: each}}]\nprobes:\n{probes}")], Assumed()
    ).gates
    chances = [lost_by_majority(asks, 0.05)] * 10
    assert row.false_alarms[0.10] == pytest.approx(chance_red(*([chances, []] if hard else [[], chances])))


def test_a_checklist_of_one_probe_is_red_if_that_is_lost(read):
    text = "suite: s\nscore: contains\ngates: [{over: each}]\nprobes: [{id: p, question: q, answer: a}]"
    [row] = run_power([read(text)], Assumed()).gates
    assert (row.false_alarms[0.10], row.catches) == pytest.approx((lost_by_majority(2, 0.05), 0.8))


def test_strict_checklists_fail_for_one(suite):
    row = run_power([suite], Assumed(strict=True)).gates[-1]
    assert row.false_alarms[0.05] == pytest.approx(1 - (1 - lost_by_majority(2, 0.025)) ** 150)


def test_a_gate_that_judges_the_tuned_model_alone_asks_once(read):
    (row,) = run_power([read(SUITE_OF_PASSES)], Assumed()).gates
    assert row.false_alarms[0.10] == pytest.approx(1 - 0.95**10)


SUITE_OF_PASSES = "suite: s\nscore: contains\ngates: [{over: each, require: pass}]\nprobes:\n" + "\n".join(
    f"  - {{id: p{i}, question: q{i}, answer: a}}" for i in range(10)
)


def test_small_slices_are_not_gated(read):
    found = run_power([read(SUITE)], Assumed(max_drop_overall=0.03), sample=24)
    row = found.gates[1]
    assert (row.n, row.gated, row.needed, row.catches) == (8, False, least_to_retain(0.25), None)
    assert set(row.false_alarms.values()) == {0.0}
    assert found.overall.gated is False
    assert found.overall.more_probes == least_to_retain(0.03) - 24


def test_max_loss_may_need_more_than_the_margin(read):
    gate = read(SUITE.replace("max_drop: 0.10", "max_drop: 0.9, max_loss: 0.05")).gates[0]
    assert needed(gate, extent([])) == least_to_retain(0.05)


def test_the_sample_is_that_of_a_run(suite):
    from harness.evaluation.sample import sampled
    from harness.gate.cases import cases

    for seed in (0, 7):
        found = run_power([suite], Assumed(), sample=40, seed=seed)
        drawn = sampled(cases(suite), 40, seed)
        sizes = [len(case.probes) for case in drawn if case.gate.over != "each"]
        assert [row.n for row in found.gates if row.slice != "each"] == sizes
    assert found.sizes[0].probes == 150  # those of the gate over each are never sampled


def test_clusters_and_their_design_effect(read):
    suite = read(clustered(100, 20))
    (row,) = run_power([suite], Assumed(design_effect=2.5)).gates
    assert row.clusters == 20
    assert row.retained == probability_retained(40, 0.10, 0.025, student_quantile(19))
    assert row.false_alarms[0.05] == power(40, 0.0, 0.025, slice_rule(0.10, "confirmed", 0.05))
    (alone,) = run_power([read(clustered(100, 100))], Assumed(design_effect=2.5)).gates
    assert alone.clusters is None
    assert alone.retained == probability_retained(100, 0.10, 0.025)


def test_few_clusters_need_more_probes(read):
    (row,) = run_power([read(clustered(30, 3))], Assumed()).gates
    assert (row.gated, row.needed) == (False, least_to_retain(0.10, student_quantile(2)))


def test_texts(read):
    suite = read(
        "suite: texts\ntask: {format: text, answer: likelihood}\ngates: [{over: all, max_rise: 0.02}]\nprobes:\n"
        + "\n".join(f"  - {{id: p{i}, text: one two {i}}}" for i in range(132))
    )
    found = run_power([suite], Assumed())
    (row,) = found.gates
    assert found.overall is None
    assert (row.of_texts, row.margin, row.gated) == (True, 0.02, True)
    assert 0.02 < row.catches < 0.022
    assert row.retained > 0.999
    assert any(line.startswith("texts     all      132     2 %    2.1 %") for line in power_lines(found))


def test_nothing_flips(suite):
    found = run_power([suite], Assumed(flip_rate=0.0, max_drop_overall=0.03))
    assert [row.false_alarms[0.0] for row in (found.overall, *found.gates)] == [0] * 6
    assert found.false_alarm(0.0) == 0


def test_the_size_of_a_suite_is_words_and_longest_answers(suite):
    (size,) = run_power([suite], Assumed(), given_speed(100)).sizes
    assert (size.probes, size.cases) == (150, 154)
    assert size.tokens == round(1.4 * (5 + 149 * 2) + 150 * 20)  # what all begin with is read once
    assert (size.seconds, size.seconds_at_least) == pytest.approx(
        (size.tokens / 100, size.tokens / 100), rel=1e-3
    )


def test_a_question_is_read_once_for_all_its_choices(read):
    choose = read(
        "suite: s\ntask: {format: text, answer: choose}\ngates: [{over: each}]\n"
        "probes: [{id: a, question: one two three, choices: [x, y z], answer: x}]\n"
    )
    assert run_power([choose], Assumed()).sizes[0].tokens == round(1.4 * (3 + 1 + 2))
    measure = read(
        "suite: s\ntask: {format: text, answer: likelihood}\ngates: [{over: each}]\n"
        "probes: [{id: a, text: one two three four five}]\n"
    )
    assert run_power([measure], Assumed()).sizes[0].tokens == round(1.4 * 5)


def test_any_gate_fails_at_most_as_often_as_independent_ones(found):
    alarms = [row.false_alarms[0.10] for row in (found.overall, *found.gates)]
    assert max(alarms) <= found.false_alarm(0.10) <= sum(alarms) + 0.05


def test_confirmed_slices_fail_only_where_holm_is_opened(read):
    found = run_power([read(SUITE.replace(", on_inconclusive: fail", ""))], Assumed(max_drop_overall=0.03))
    slices, each = found.gates[:4], found.gates[4]
    opened = 1 - prod(1 - row.opens[0.10] for row in slices)
    alone = 1 - prod(1 - row.alone[0.10] for row in slices)
    others = (1 - found.overall.false_alarms[0.10]) * (1 - each.false_alarms[0.10])
    assert found.false_alarm(0.10) == pytest.approx(1 - (1 - min(opened, alone)) * others)


def test_the_table(found):
    lines = list(power_lines(found))
    assert lines[:8] == TABLE
    text = " ".join(" ".join(lines).split())
    assert "some flip by chance, half of them each way: 5 % unless stated" in text
    assert "overall, to catch 5 points, which takes 386 probes" in text


def test_a_run_in_which_nothing_can_be_decided_says_so(read):
    few = clustered(5, 5)
    text = " ".join(power_lines(run_power([read(few)], Assumed())))
    assert "Nothing in this run can be decided: it exits with 5, which is no pass." in text


def test_suites_that_only_the_overall_gate_judges_are_named(read, suite):
    small = read(clustered(5, 5))
    text = " ".join(power_lines(run_power([suite, small], Assumed())))
    assert "Judged by the overall gate alone, none of their own can decide: s" in text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(None, "-"), (0.0, "0.0"), (1e-9, "<0.1"), (0.0123, "1.2"), (0.9999, ">99.9"), (1.0, "100.0")],
)
def test_chances(fraction, text):
    assert chance(fraction) == text


@pytest.mark.parametrize(("drop", "text"), [(None, "nothing"), (0.0, "any"), (0.0543, "5.4"), (0.29, "29.0")])
def test_drops(drop, text):
    assert in_points(drop) == text


# The command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numbers.yaml").write_text(SUITE, encoding="utf-8")
    return tmp_path


def test_the_command_prints_the_table(folder, capsys):
    assert main(["plan", "numbers.yaml"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("suite ")
    assert err == ""


def test_folders_and_options(folder, capsys):
    assert (
        main(
            [
                "plan",
                ".",
                "--flip-rate",
                "0",
                "--tokens-per-second",
                "10",
                "--json",
                "--max-drop-overall",
                "0.03",
            ]
        )
        == 0
    )
    data = json.loads(capsys.readouterr().out)
    assert (data["flip_rate"], data["tokens_per_second"], data["power"], data["level"]) == (
        0.0,
        10.0,
        0.8,
        0.05,
    )
    assert [row["slice"] for row in data["gates"]] == [
        "all",
        "category[a]",
        "category[b]",
        "category[c]",
        "each",
    ]
    assert data["overall"]["n"] == 150
    assert data["gates"][0]["false_alarm"] == data["gates"][0]["false_alarms"]["0"] == 0.0
    assert list(data["gates"][0]["false_alarms"]) == ["0", "0.02", "0.05", "0.1"]
    assert data["suites"] == [
        {
            "suite": "numbers",
            "probes": 150,
            "cases": 154,
            "tokens": 3424,
            "seconds": pytest.approx(342.42),
            "seconds_at_least": pytest.approx(342.42),
        }
    ]
    total = data["total"]
    assert list(total.pop("any_false_alarms_at_most")) == ["0", "0.02", "0.05", "0.1"]
    assert total == {
        "suites": 1, "probes": 150, "cases": 155, "tokens": 3424, "seconds": pytest.approx(342.42), "seconds_at_least": pytest.approx(342.42),
        "any_false_alarm_at_most": 0.0, "probes_for_5_points": probes_for(0.05, 0.0, OVERALL),
    }  # fmt: skip


def test_options_of_a_run(folder, capsys):
    options = "--strict --sample 60 --sample-seed 3 --design-effect 2 --max-drop-overall 0.05 --json"
    assert main(["plan", ".", *options.split()]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["strict"], data["design_effect"]) == (True, 2.0)
    assert (data["overall"]["n"], data["overall"]["margin"]) == (60, 0.05)


def test_one_suite_has_its_own_margin_and_no_second_one(read, suite, folder, capsys):
    assert main(["plan", "numbers.yaml"]) == 0
    assert "overall   all" not in capsys.readouterr().out
    other = read(SUITE.replace("suite: numbers", "suite: figures"))
    assert run_power([suite], Assumed()).overall is None
    assert run_power([suite, other], Assumed()).overall.n == 300
    assert run_power([suite, other], Assumed(max_drop_overall="off")).overall is None


def test_a_flip_rate_at_which_no_drop_of_five_points_is_possible(folder, capsys):
    assert main(["plan", "numbers.yaml", "--flip-rate", "0.97"]) == 0
    assert "none do" in capsys.readouterr().out


def test_suites_that_cannot_be_read_are_told_all_at_once(folder, capsys):
    (folder / "a.yaml").write_text("suite: a\ngates: []\nprobes: []\n", encoding="utf-8")
    (folder / "b.yaml").write_text(SUITE, encoding="utf-8")
    assert main(["plan", "."]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "a.yaml:2:" in err
    assert "a second suite called 'numbers'" in err


def test_a_folder_without_suites(folder, capsys):
    (folder / "empty").mkdir()
    assert main(["plan", "empty"]) == 4
    assert capsys.readouterr().err == "empty: no suite files in this folder\n"


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("--flip-rate", "1", "from 0 to less than 1"),
        ("--flip-rate", "-0.1", "from 0 to less than 1"),
        ("--flip-rate", "nan", "from 0 to less than 1"),
        ("--flip-rate", "two", "from 0 to less than 1"),
        ("--tokens-per-second", "0", "above 0"),
        ("--design-effect", "0.9", "of at least 1"),
        ("--tokens-per-second", "inf", "above 0"),
    ],
)
def test_options_out_of_range(capsys, option, value, wanted):
    with pytest.raises(SystemExit):
        main(["plan", "x.yaml", option, value])
    assert f"must be a number {wanted}, saw {value!r}" in capsys.readouterr().err


def test_the_flip_rate_defaults_to_that_of_the_statistics():
    assert command_line().parse_args(["plan", "x.yaml"]).flip_rate == TUNING_FLIPS


def test_the_shipped_suites_take_a_moment(root, capsys):
    began = time.process_time()
    assert main(["plan", str(root / "suites")]) == 0
    assert time.process_time() - began < 20
    assert capsys.readouterr().out.count("\n") > 12
