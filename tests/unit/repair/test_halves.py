"""What is asked to choose a repair and to confirm it: two halves of everything, which have nothing in common."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.settings import Settings
from harness.errors import HarnessError, InputError, SuiteError
from harness.gate.cases import cases
from harness.repair.publish import check_free
from harness.repair.run import repair
from harness.repair.schedule import RepairOptions, halves, read_schedule
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from harness.sweep.schedule import half_of
from tests.support.suites import suite_text

GATES = "{over: all, max_drop: 0.1}, {over: category, max_drop: 0.2}"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, n in (("target", 21), ("general", 60), ("second", 31)):
        Path(f"{name}.yaml").write_text(suite_text(name, n, GATES))
    return tmp_path


def read(name: str):
    return read_suite(Path(f"{name}.yaml"), SCORERS)


def options(**changed) -> RepairOptions:
    given = {
        "model": "tuned",
        "target": Path("target.yaml"),
        "suites": [Path("general.yaml")],
        "out": Path("out"),
    }
    return RepairOptions(**{**given, **changed})


@given(seed=st.integers(0, 10**6))
@settings(deadline=None, max_examples=20)
def test_no_probe_is_in_both_halves_and_none_is_left_out(seed):
    target, suites = read("target"), [read("general"), read("second")]
    every = [case for suite in suites for case in cases(suite)]
    first, second = halves(target, every, seed)
    assert not first.keys & second.keys
    assert first.keys | second.keys == {(suite.name, probe.id) for suite in suites for probe in suite.probes}
    assert {probe.id for probe in first.target}.isdisjoint(probe.id for probe in second.target)
    assert sorted(probe.id for probe in (*first.target, *second.target)) == sorted(
        probe.id for probe in target.probes
    )
    for name, n in (("general", 60), ("second", 31)):
        assert abs(sum(suite == name for suite, _ in first.keys) - n / 2) <= 1


def test_another_seed_gives_other_halves_and_the_same_seed_the_same():
    every = list(cases(read("general")))
    assert halves(read("target"), every, 1) == halves(read("target"), every, 1)
    assert halves(read("target"), every, 1) != halves(read("target"), every, 2)


def test_probes_of_a_cluster_stay_together():
    text = "suite: s\nscore: mentions\ngates: [{over: all, max_drop: 0.1}]\nprobes:\n" + "".join(
        f"  - {{id: p{i}, question: Why {i}?, answer: b, cluster: c{i // 4}}}\n" for i in range(40)
    )
    Path("s.yaml").write_text(text)
    half = half_of({("s", probe.id): probe for probe in read("s").probes}, 0)
    assert len(half) == 20
    clusters = {int(id[1:]) // 4 for _, id in half}
    assert len(clusters) == 5


def test_probes_that_ask_the_same_are_in_one_half_in_whatever_suites(folder):
    """Two probes of a suite do, and a copy of the suite asks it all again."""
    probes = "".join(f"  - {{id: p{i}, question: Why {i // 2}?, answer: b}}\n" for i in range(40))
    for name in ("first", "copy"):
        head = f"suite: {name}\nscore: mentions\ngates: [{{over: all, max_drop: 0.1}}]\nprobes:\n"
        Path(f"{name}.yaml").write_text(head + probes)
    every = [case for name in ("first", "copy") for case in cases(read(name))]
    asked = [
        {probe.fields["question"] for case in half.cases for probe in case.probes}
        for half in halves(read("target"), every, 0)
    ]
    assert [len(each) for each in asked] == [10, 10]
    assert not asked[0] & asked[1]


def test_probes_that_ask_nearly_the_same_are_in_one_half_in_whatever_suites(folder):
    """Each question of the first suite is asked in other words by the second; numbers keep the others apart."""
    asked = {"first": "What is the sum of {i} apples?", "again": "What's the sum of the {i} apples"}
    for name, words in asked.items():
        head = f"suite: {name}\nscore: mentions\ngates: [{{over: all, max_drop: 0.1}}]\nprobes:\n"
        probes = (f'  - {{id: p{i}, question: "{words.format(i=i)}", answer: b}}\n' for i in range(40))
        Path(f"{name}.yaml").write_text(head + "".join(probes))
    every = [case for name in asked for case in cases(read(name))]
    halved = [
        {probe.id for case in half.cases for probe in case.probes}
        for half in halves(read("target"), every, 0)
    ]
    assert [len(each) for each in halved] == [20, 20]
    assert not halved[0] & halved[1]


def test_gates_over_each_probe_are_halved_too():
    Path("each.yaml").write_text(suite_text("each", 10, "{over: each}"))
    schedule = read_schedule(options(suites=[Path("each.yaml")]))
    slices = [[case.slice for case in half.cases] for half in (schedule.selection, schedule.confirmation)]
    assert len(slices[0]) == len(slices[1]) == 5
    assert not set(slices[0]) & set(slices[1])


def test_a_sample_is_for_both_halves_together():
    schedule = read_schedule(options(sample=40))
    assert len(schedule.selection.keys) + len(schedule.confirmation.keys) == 40


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"suites": [Path("target.yaml")]}, "--suite=target.yaml: is the target"),
        (
            {"target": Path("texts.yaml")},
            "cannot be a target: 'answer: likelihood' compares with the baseline",
        ),
        ({"target": Path("one.yaml")}, "too few probes to choose by some and confirm by others"),
    ],
)
def test_what_cannot_be_halved_or_learnt_is_refused(changed, message):
    Path("texts.yaml").write_text(
        "suite: texts\ntask: {format: text, answer: likelihood}\ngates: [{over: all, max_rise: 0.1}]\nprobes: [{id: a, text: hello there}]\n"
    )
    Path("one.yaml").write_text(suite_text("one", 1))
    with pytest.raises(HarnessError) as caught:
        read_schedule(options(**changed))
    assert message in caught.value.on_command_line
    assert isinstance(caught.value, InputError) == ("likelihood" in message)


def test_what_a_failed_repair_left_does_not_stay_if_the_next_one_cannot_begin(tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("repair.json", "pareto.svg"):
        (tmp_path / "out" / name).write_text("of an earlier repair")
    with pytest.raises(SuiteError):
        repair(options(target=Path("gone.yaml")), Settings())
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_with_anything_in_it_is_never_written_to(tmp_path):
    check_free(tmp_path / "new")
    (tmp_path / "old").mkdir()
    check_free(tmp_path / "old")
    for name in ("repair.json", "pareto.svg"):
        (tmp_path / "old" / name).write_text("")
    check_free(tmp_path / "old")  # all that a failed repair leaves
    (tmp_path / "old" / "config.json").write_text("{}")
    with pytest.raises(HarnessError, match="exists, and nothing is overwritten"):
        check_free(tmp_path / "old")
    with pytest.raises(HarnessError, match="exists, and nothing is overwritten"):
        check_free(tmp_path / "old" / "config.json")
