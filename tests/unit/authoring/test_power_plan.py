"""What `plan` says of suites: each number against the statistics, and the table and the JSON around them."""

from __future__ import annotations

import json
import time

import pytest

from harness.authoring.power import any_false_alarm, gate_powers, gate_rule, suite_size
from harness.authoring.power_text import chance, in_points, power_lines
from harness.cli.main import command_line, main
from harness.stats.power import FLIP_RATE, AnyLost, OverMargin, minimum_detectable_drop, power
from harness.suites.suite import EachGate, MarginGate

PROBES = "\n".join(
    f"  - {{id: p{i}, category: {'abc'[i % 3]}, question: What is number {i} called?, answer: n{i}}}"
    for i in range(60)
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


@pytest.fixture
def suite(read):
    return read(SUITE)


@pytest.fixture
def rows(suite):
    return list(gate_powers(suite, FLIP_RATE))


def test_one_row_a_gate_and_slice_in_the_order_of_the_file(rows):
    assert [(row.slice, row.n, row.cases) for row in rows] == [
        ("all", 60, 1),
        ("category[a]", 20, 1),
        ("category[b]", 20, 1),
        ("category[c]", 20, 1),
        ("each", 60, 60),
    ]


def test_a_gate_by_statistics(rows):
    row = rows[0]
    assert (row.suite, row.margin, row.on_inconclusive) == ("numbers", 0.10, "observed")
    assert row.catches == minimum_detectable_drop(60, 0.01, rule=OverMargin(0.10))
    assert row.false_alarm == power(60, 0.0, 0.01, OverMargin(0.10))
    assert row.sees == minimum_detectable_drop(60, 0.01)
    assert row.by_chance == power(60, 0.0, 0.01)
    assert row.retained == 1 - power(60, 0.0, 0.01, OverMargin(0.10, "fail"))
    assert row.more_probes == 100  # of the 160 that 5 points take


def test_a_strict_gate_fails_an_unchanged_model_unless_it_is_retained(rows):
    row = rows[1]
    assert row.on_inconclusive == "fail"
    assert row.false_alarm == pytest.approx(1 - row.retained)


def test_a_gate_over_each_probe_fails_when_any_is_lost(rows):
    row = rows[-1]
    assert row.false_alarm == pytest.approx(1 - 0.99**60)
    assert row.catches == pytest.approx(1 - 0.2 ** (1 / 60) - 0.01, abs=0.001)
    assert (row.margin, row.sees, row.by_chance, row.retained, row.more_probes) == (None,) * 5


def test_the_flip_rate_is_half_gains(suite):
    row = next(iter(gate_powers(suite, flip_rate=0.10)))
    assert row.sees == minimum_detectable_drop(60, 0.05)


def test_nothing_flips(suite):
    rows = list(gate_powers(suite, flip_rate=0.0))
    assert [row.false_alarm for row in rows] == [0, 0, 0, 0, 0]


def test_a_gate_and_its_rule():
    assert gate_rule(MarginGate("all", 0.1, "pass")) == OverMargin(0.1, "pass")
    assert gate_rule(EachGate()) == AnyLost()


def test_the_size_of_a_suite_is_words_and_longest_answers(suite):
    size = suite_size(suite, tokens_per_second=100)
    assert (size.probes, size.cases) == (60, 64)
    assert size.tokens == 60 * (1.4 * 5 + 20)
    assert size.seconds == size.tokens / 100


def test_choices_are_read_one_by_one_and_texts_once(read):
    choose = read(
        "suite: s\ntask: {format: text, answer: choose}\ngates: [{over: each}]\n"
        "probes: [{id: a, question: one two three, choices: [x, y z], answer: x}]\n"
    )
    assert suite_size(choose, 400).tokens == round(1.4 * (3 + 1 + 3 + 2))
    measure = read(
        "suite: s\ntask: {format: text, answer: likelihood}\ngates: [{over: each}]\n"
        "probes: [{id: a, text: one two three four five}]\n"
    )
    assert suite_size(measure, 400).tokens == round(1.4 * 5)


def test_any_gate_fails_at_most_as_often_as_independent_ones(rows):
    alarms = [row.false_alarm for row in rows]
    assert max(alarms) <= any_false_alarm(rows) <= sum(alarms)


def test_the_table(suite, rows):
    lines = list(power_lines(rows, [suite_size(suite, 400)], FLIP_RATE, 400))
    assert lines[:7] == [
        "suite    slice     n     margin  catches   false alarm  retained  sees  by chance  for 5  cases  tokens  seconds",
        "numbers  all      60         10     15.1          <0.1      98.0  10.9        0.2   +100      1   1,620        4",
        "numbers  a        20  25 (fail)     14.6           1.4      98.6  27.8       <0.1   +140      1",
        "numbers  b        20  25 (fail)     14.6           1.4      98.6  27.8       <0.1   +140      1",
        "numbers  c        20  25 (fail)     14.6           1.4      98.6  27.8       <0.1   +140      1",
        "numbers  each     60          -      1.7          45.3         -     -          -      -     60",
        "total    1 suite  60                      at most 47.6                                       64   1,620        4",
    ]
    assert "2 % of an unchanged model's answers" in lines[8]
    assert "which takes 160 probes" in "\n".join(lines)
    assert lines[-1].endswith("estimated at 400 tokens a second")


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
    assert main(["plan", ".", "--flip-rate", "0", "--tokens-per-second", "10", "--json"]) == 0
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
    assert data["gates"][0]["sees"] == pytest.approx(0.09, abs=0.001)
    assert data["suites"] == [
        {"suite": "numbers", "probes": 60, "cases": 64, "tokens": 1620, "seconds": 162.0}
    ]
    assert data["total"] == {
        "suites": 1, "probes": 60, "cases": 64, "tokens": 1620, "seconds": 162.0,
        "any_false_alarm_at_most": 0.0, "probes_for_5_points": 110,
    }  # fmt: skip


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
        ("--tokens-per-second", "inf", "above 0"),
    ],
)
def test_options_out_of_range(capsys, option, value, wanted):
    with pytest.raises(SystemExit):
        main(["plan", "x.yaml", option, value])
    assert f"must be a number {wanted}, saw {value!r}" in capsys.readouterr().err


def test_the_flip_rate_defaults_to_that_of_the_statistics():
    assert command_line().parse_args(["plan", "x.yaml"]).flip_rate == FLIP_RATE


def test_the_shipped_suites_take_a_moment(root, capsys):
    began = time.monotonic()
    assert main(["plan", str(root / "suites")]) == 0
    assert time.monotonic() - began < 20
    assert capsys.readouterr().out.count("\n") > 12
