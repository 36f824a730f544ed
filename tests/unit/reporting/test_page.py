"""The page of a run: what it shows, that it stands alone, and that it obeys nothing that a model or a file says."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from harness.reporting.formats import render
from harness.reporting.gate_table import table_rows
from harness.reporting.html.chart import Axis, accuracies
from harness.reporting.rows import Record
from harness.visible import visible_lines
from tests.support.pages import Tags, addresses, parse
from tests.support.records import (
    EACH,
    GATE,
    GATES,
    LEFT_OUT,
    OVERALL,
    PROBES,
    RETAINED,
    answer,
    hostile,
    probe,
    record,
)


def page(record: Record) -> str:
    return render(record, "html")


def words(record: Record) -> str:
    return parse(page(record)).words


# The verdict


OVERALL_RETAINED = {**GATE, **OVERALL, **RETAINED, "interval": (-0.01, 0.018)}
VACUOUS = {**GATE, "verdict": "VACUOUS"}
EVEN = {**GATE, "verdict": "INCONCLUSIVE", "lost": 5, "gained": 5, "drop": 0.0}
CUT = {
    **GATE, "verdict": "INCONCLUSIVE",
    "undecided": "max_new_tokens cut 0 answers of the baseline and 40 of the tuned model whose verdict was still open, of 40 each: the "
    "difference is more than the margin, and a cut answer is incomplete",
}  # fmt: skip
ALONE = {**GATE, **EACH, "require": "pass", "verdict": None, "drop": None}


@pytest.mark.parametrize(
    ("gates", "run", "title"),
    [
        ([GATE, {**GATE, **OVERALL}], {}, "Forgotten: 45 points lost over all suites"),
        ([GATE], {}, "Forgotten: facts, 45 points lost"),
        ([{**GATE, "slice": "category[math]", "over": "category"}], {}, "Forgotten: facts · math, 45 points lost"),
        ([{**GATE, **EACH}], {}, "Forgotten: list · greeting"),
        ([GATE, {**GATE, **EACH}], {}, "Forgotten: 2 gates failed"),
        ([EVEN], {}, "Failed: facts, though no loss was seen"),
        ([ALONE, ALONE], {}, "Failed: 2 gates, though no loss was seen"),
        ([GATE, EVEN, ALONE], {}, "Forgotten: facts, 45 points lost"),
        ([CUT], {}, "Failed: facts, because a token limit cut the answers of one model"),
        ([{**GATE, **OVERALL}, CUT], {}, "Failed: facts, because a token limit cut the answers of one model"),
        ([{**GATE, **OVERALL}, CUT, {**GATE, "suite": "dates"}], {}, "Forgotten: dates, 45 points lost"),
        ([VACUOUS], {}, "Failed: the baseline knows too little for a loss to show"),
        ([OVERALL_RETAINED], {"status": "passed"}, "Passed: at most 1.8 points lost over all suites"),
        ([{**GATE, **RETAINED}], {"status": "passed"}, "Passed: no gate failed"),
        ([], {"status": "nothing decided", "exit_status": 5}, "Nothing was decided, which is no pass"),
        ([GATE], {"status": "interrupted"}, "Interrupted: what was not asked is unknown"),
        ([], {"status": "error", "exit_status": 4}, "Error: the run has no verdict"),
        ([], {"status": "unfinished", "exit_status": None}, "Unfinished: the run is still going, or was killed"),
    ],
)  # fmt: skip
def test_the_verdict_is_the_title_and_comes_first(gates, run, title):
    text = page(record(gates, [], **run))
    assert f"<title>{title}</title>" in text
    assert re.search(r"<h1>(.*?)</h1>", text)[1] == title
    assert "<h2" not in text[: text.index("<h1>")]


def test_cases_that_were_left_out_are_told():
    assert "2 cases selected: 2 decided; 7 left out." in words(record(cases=LEFT_OUT))


@pytest.mark.parametrize("gate", [EVEN, ALONE, VACUOUS], ids=["even", "alone", "vacuous"])
def test_without_a_loss_no_report_speaks_of_forgetting(gate):
    told = record([gate], [])
    for form in ("terminal", "markdown", "html"):
        text = render(told, form)
        assert "Failed" in text
        assert "Forgotten" not in text
        assert "the forgetting is removable" not in text


def test_what_the_verdict_rests_on():
    text = words(record())
    assert "./tuned (adapter on base) against base" in text
    assert (
        "75.0 % right before tuning, 30.0 % after: 45 points lost (90 % interval 30 to 58; margin 3)." in text
    )
    assert "Of 6 gates, 4 failed, 1 warned, 1 decided nothing." in text
    assert "9 of 9 lost answers are empty." in text
    assert "Mitigations that this recipe has not tried, the least costly first: replay." in text
    assert "3 lost the baseline was right, the tuned model is wrong" in text


def test_errors_of_a_run_that_did_not_begin():
    text = words(Record.model_validate({"run": {**record().run.model_dump(), "errors": ["no such model"]}, "gates": [], "probes": []}))  # fmt: skip
    assert "no such model" in text
    assert "Suites and categories" not in text


# The chart


def rows(text: str) -> list[str]:
    """The rows of tables, as the text of their cells."""
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", text, re.DOTALL)
    return [
        " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", "", row, flags=re.DOTALL)).split())
        for row in found
    ]


def test_the_rows_of_the_chart():
    assert rows(page(record()))[:8] == [
        "slice probes before both accuracies, drawn after the drop, drawn drop interval margin verdict",
        "all suites 400 75.0 30.0 45.0 30 to 58 3 FORGOTTEN",
        "list · each probe 1 100.0 0.0 100.0 -46 to 100 - FORGOTTEN",
        "facts 40 75.0 30.0 45.0 30 to 58 10 FORGOTTEN",
        "history 40 75.0 30.0 45.0 30 to 58 20 INCONCLUSIVE, warned",
        "maths 5 75.0 30.0 45.0 30 to 58 10 not gated",
        "slice texts the rise, drawn rise interval margin verdict",
        "texts 60 +11.0 % 9 to 13 3 FORGOTTEN",
    ]


def test_a_suite_with_a_gate_over_categories_alone_is_named():
    [[row]] = accuracies([record([{**GATE, "slice": "category[math]", "over": "category"}]).gates[0]]).groups
    assert (row.name, row.level, row.suite, row.category) == ("facts · math", "suite", "facts", "math")


def test_marks_lie_within_their_drawing_and_in_order():
    chart = accuracies(record().gates)
    marks = [row.change for group in chart.groups for row in group]
    for mark in marks:
        assert 0 <= mark.ends[0] <= mark.at <= mark.ends[1] <= 100
    [overall] = chart.groups[0]
    assert chart.changes.place(0) < overall.change.margin < overall.change.ends[0]
    assert overall.tuned.at < overall.baseline.at


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 100, ["0", "20", "40", "60", "80", "100"]),
        (-7, 98, ["0", "20", "40", "60", "80"]),
        (-0.4, 0.3, ["-0.4", "-0.3", "-0.2", "-0.1", "0", "0.1", "0.2", "0.3"]),
        (0, 0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ],
)
def test_an_axis_has_round_numbers(low, high, texts):
    ticks = Axis.over([low, high]).ticks
    assert [tick.text for tick in ticks] == texts
    assert all(0 < tick.at < 100 for tick in ticks)


def test_a_gate_that_judges_the_tuned_model_alone_has_no_drop():
    alone = dict.fromkeys(
        ("kept", "lost", "gained", "missed", "baseline_accuracy", "drop", "interval", "verdict")
    )
    text = page(
        record([{**GATE, **EACH, **alone, "require": "pass", "tuned_accuracy": 1.0, "outcome": "passed"}], [])
    )
    assert "list · each probe 1 - 100.0 - - - RIGHT" in rows(text)


def test_suites_come_as_in_the_terminal():
    gates = [
        {**GATE, "suite": "whole", "outcome": "passed", "verdict": "RETAINED", "drop": 0.3},
        {**GATE, "suite": "part", "outcome": "passed", "verdict": "RETAINED", "drop": 0.0},
        {
            **GATE,
            "suite": "part",
            "slice": "category[math]",
            "over": "category",
            "outcome": "passed",
            "verdict": "RETAINED",
            "drop": 0.5,
        },
    ]
    found = record(gates)
    groups = accuracies(found.gates).groups
    assert [[row.name for row in group] for group in groups] == [["part", "math"], ["whole"]]
    assert [row.suite for row in table_rows(found.gates)] == ["part", "whole", "part"]
    assert "Suites come in the order of their worst rows: what failed first, then the larger drop." in words(
        found
    )


FLIPS = {
    **GATE, **OVERALL, "slice": "flips", "max_drop": None, "max_loss": None, "max_flips": 0.05, "flips": 0.02,
    "flips_interval": (0.008, 0.046), "verdict": "RETAINED", "outcome": "passed",
}  # fmt: skip


def test_a_share_of_flips_is_told_and_is_no_drop():
    found = record([{**GATE, **OVERALL}, GATE, FLIPS])
    assert accuracies(found.gates) == accuracies(record([{**GATE, **OVERALL}, GATE]).gates)
    assert "2.0 % of the probes flip (90 % interval 0.8 to 4.6 %; margin 5 %): RETAINED." in words(found)
    assert "answers that flip" not in render(found, "svg")
    assert "% of the probes flip" not in words(record())


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
def test_what_flips_are_is_told_where_texts_are_among_them(form):
    what = "A text counts as flipped if its bits change by more than 2 %."
    assert what in render(record([FLIPS]), form)
    assert what not in render(record([FLIPS], [probe("a")]), form)
    assert what not in render(record(), form)


def test_flips_alone_have_no_chart():
    text = page(record([FLIPS], []))
    assert "Suites and categories" not in text
    assert "2.0 % of the probes flip" in parse(text).words


# The probes


def test_every_probe_is_there_with_both_answers_without_a_script():
    tags = parse(page(record()))
    assert tags.seen.count("noscript") == 6
    for change in ("lost", "gained", "missed", "kept"):
        assert f"What of {change}?" in tags.words
    said = "".join(tags.text)
    assert (said.count("It is right."), said.count("It is not so.")) == (5, 5)
    assert "baseline · right · 3 tokens, ended by itself" in tags.words
    assert "expected right" in tags.words


def test_what_is_different_is_marked():
    marked = re.findall(r"<mark>(.*?)</mark>", page(record(probes=[probe("a")])))
    assert marked == ["right", "not so"]


def test_choices_attempts_and_texts_are_shown():
    text = words(record())
    assert "choice baseline, nats tuned, nats a -1.50 -1.50 b right -2.25 -2.25" in text
    assert "asked again in other words question In other words?" in text
    assert "Hello . tuned · wrong · 1 token, ended by itself Bye ." in text
    assert "Texts measured in bits per byte, neither right nor wrong" in text


def test_why_an_answer_is_wrong_and_how_it_ended():
    tuned = answer("one two", False, why="has 2 words", ended="limit", reasoning="I think", reasoning_tokens=2, reasoning_ended=False)  # fmt: skip
    text = words(record(probes=[probe("a", tuned=tuned)]))
    assert "why wrong has 2 words" in text
    assert "2 tokens, cut off by max_new_tokens, after 2 tokens of reasoning, which do not end" in text
    assert "its reasoning I think" in text


def test_a_score_without_right_answers_is_shown_by_its_parameters():
    assert 'expected check {"min_words": 5}' in words(
        record(probes=[probe("a", expected=[], score="check", scoring={"min_words": 5})])
    )


def test_only_the_tuned_model_was_asked():
    text = words(record(probes=[probe("a", baseline=None, change=None)]))
    assert "Alone only the tuned model was asked" in text


def test_long_texts_are_cut_and_say_so():
    brackets = "[" * 100_000
    said = {"baseline": answer(brackets, True), "tuned": answer(brackets + "]", False)}
    text = page(record(probes=[probe("a", fields={"question": brackets}, **said)]))
    assert len(text) < 70_000
    assert text.count("… and 97,000 more characters, in the record") == 2
    assert "… and 97,001 more characters, in the record" in text


# Power, notes and origin


def test_what_the_gates_could_see():
    text = words(record())
    assert "All suites pooled: a drop of 4.9 points fails the gate in 80 % of runs." in text
    assert "1 gate of 4 could see nothing: too few probes, or a baseline that does not know them." in text
    assert re.search(
        r"facts history 40 20 [\d.]+ 58 40 to 80 \(margin 30\) 34 ",
        text,
    )


def test_a_gate_without_a_margin_that_saw_no_loss_could_have_seen_one():
    """It decides nothing, but would have failed."""
    none = {
        **GATE, **RETAINED, "max_drop": 0.0, "verdict": "INCONCLUSIVE", "outcome": "skipped",
        "undecided": "no number of probes can show that nothing at all was lost",
    }  # fmt: skip
    text = words(record([none], []))
    assert "could see nothing" not in text
    assert re.search(r"One suite alone: a drop of [\d.]+ points fails the gate in 80 % of runs", text)


def test_a_wider_gate_catches_less_than_an_overall_one():
    big = {"n": 1000, "kept": 500, "lost": 0, "gained": 0, "missed": 500}
    found = {}
    for max_drop in (0.05, 0.15):
        text = words(record([{**GATE, **big, "max_drop": max_drop}], []))
        found[max_drop] = float(re.search(r"One suite alone: a drop of ([\d.]+) points", text)[1])
    assert 5 < found[0.05] < 10
    assert 15 < found[0.15] < 20


def test_gates_that_decided_nothing_have_their_reason():
    assert "facts maths not gated: 5 probes, a margin of 20 points needs 11" in words(record())
    assert "a test excused it, as a conftest.py" not in words(record())
    assert "it failed, as a conftest.py expected (xfail)" in words(record([{**GATE, "outcome": "excused"}]))


def test_probes_that_a_dead_worker_took_with_it_are_named():
    text = words(record(not_measured={"facts": ["a", "b"]}))
    assert "facts: 2 probes not measured, because a worker died: a, b" in text


def test_where_the_numbers_come_from():
    text = words(record(sample=300, sample_seed=7, template={"facts": {"enable_thinking": False}}))
    for fact in (
        f"adapter (SHA-256) {'cd' * 32}",
        f"base under it (SHA-256) {'ab' * 32}",
        "ran on cpu in float32",
        "time 60 s in all, 12 s asking",
        "tokens written 17 by the baseline, 18 by the tuned model",
        "command pytest suites/ --model=./tuned",
        "a sample of 300 probes, seed 7",
        "versions python 3.11.9, torch 2.13.0",
        'chat template of facts {"enable_thinking": false}',
        f"facts facts.yaml 5 of 40 12.5 14 by the baseline, 14 by the tuned model {'ab' * 32} {'ef' * 32}",
        "facts: a note",
    ):
        assert fact in text


# It stands alone


def test_the_page_stands_alone():
    text = page(record())
    tags = parse(text)
    assert addresses(tags) == []
    assert not re.search(r"url\(|@import|https?:", text)
    assert not {"style", "onclick"} & {name for name, _ in tags.attributes}
    assert not {"img", "iframe", "object", "link", "a"} & set(tags.seen) - {"a"}
    assert tags.seen.count("script") == tags.seen.count("style") == 1


def policy(text: str) -> dict[str, str]:
    """The Content-Security-Policy of a page, which must come before everything that it governs."""
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    assert found.start() < min(text.index("<style"), text.index("<script"), text.index("<title"))
    return dict(part.strip().split(" ", 1) for part in found[1].split(";"))


def test_a_policy_forbids_network_and_every_other_script_and_style():
    text = page(record())
    hashes = {
        kind: base64.b64encode(hashlib.sha256(re.search(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)[1].encode()).digest()).decode()
        for kind in ("style", "script")
    }  # fmt: skip
    assert policy(text.replace("&#39;", "'")) == {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashes['style']}'",
        "script-src": f"'sha256-{hashes['script']}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


# It obeys nothing

TAGS = (
    "</script></noscript></details><script>alert(1)</script><img src=x onerror=alert(1)>\"'><b onclick=x>&lt;"
)
HIDDEN = "a\x1b\x9b\x00\x07\x85\u202e\u2066\u200b\u2028\u061c\ufeff\U000e0041\r\tz"


def shape(tags: Tags) -> list[str]:
    return [*tags.seen, *(name for name, _ in tags.attributes)]


def test_no_text_becomes_a_tag_or_an_attribute():
    hostile_tags, plain = (parse(page(hostile(text))) for text in (TAGS, "plain"))
    assert shape(hostile_tags) == shape(plain)
    assert hostile_tags.words.count(TAGS) > 40


def test_nothing_hidden_is_in_a_page():
    text = page(hostile(HIDDEN))
    assert not set(HIDDEN[1:-1]) & set(text)
    assert text.count("a\\u001b\\u009b\\u0000") > 40
    parse(text)


def test_a_terminal_and_a_ci_log_may_show_a_page():
    for record_ in (hostile("::error::x ##[group] ⟦option strict⟧"), hostile(HIDDEN)):
        text = page(record_)
        assert "\n".join(visible_lines(text)) == text


def test_texts_in_any_script_stay_as_they_are():
    name = "عربي-עברית-हिन्दी-日本-👩\u200d👧"
    assert page(hostile(name)).count(name) > 40


@pytest.mark.parametrize("name", [TAGS, HIDDEN, "##[x]", "::y", "日本", "a\\u202e"])
def test_the_script_finds_each_category_by_the_name_that_is_shown(name):
    attributes = parse(page(hostile(name))).attributes
    listed = {one for key, value in attributes if key == "data-categories" for one in json.loads(value)}
    of_probes = {value for key, value in attributes if key == "data-category" and value} - {"maths"}
    assert listed == of_probes  # no probe is of the category that was not gated


def test_a_lone_surrogate_is_escaped():
    assert "\\ud800" in page(record(notes=["\ud800"]))


# Old records


def test_a_record_of_an_older_version_has_a_page():
    old = {key: value for key, value in probe("a").items() if key in ("suite", "id", "category", "severity", "fields", "expected", "score", "change")}  # fmt: skip
    sides = {"baseline": {"answer": "yes", "right": True}, "tuned": {"answer": "no", "right": False}}
    kept = {
        "harness",
        "started",
        "seconds",
        "command",
        "exit_status",
        "errors",
        "versions",
        "strict",
        "fail_on",
    }
    run = {key: value for key, value in record().run.model_dump().items() if key in kept}
    gate = {key: value for key, value in GATE.items() if key not in ("holm_mid_p", "tests", "design_effect", "max_loss", "on_inconclusive")}  # fmt: skip
    text = words(
        Record.model_validate({"version": 1, "run": run, "gates": [gate], "probes": [{**old, **sides}]})
    )
    assert "Forgotten: facts, 45 points lost" in text
    assert "baseline · right yes tuned · wrong no" in text


def test_all_gates_of_the_builder_are_drawn():
    assert len(rows(page(record()))) > len(GATES) + len(PROBES) // 4
