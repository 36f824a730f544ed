"""The report for a pull request: what it shows, and that no answer breaks out of it or makes it too long for GitHub."""

from __future__ import annotations

from typing import Any

import pytest

from harness.reporting.formats import render
from harness.reporting.markdown import MOST_BYTES
from harness.reporting.markdown_text import MARKER, block, code, in_html, prose
from harness.reporting.rows import ProbeRow, Record
from harness.reporting.telling import most_telling
from tests.support.records import LEFT_OUT

GATE: dict[str, Any] = {
    "suite": "facts", "slice": "all", "over": "all", "severity": "high", "place": "facts.yaml:3", "n": 10, "kept": 1,
    "lost": 9, "gained": 0, "missed": 0, "baseline_accuracy": 1.0, "tuned_accuracy": 0.1, "drop": 0.9,
    "interval": (0.7, 0.95), "max_drop": 0.1, "verdict": "FORGOTTEN", "outcome": "failed",
}  # fmt: skip
RUN: dict[str, Any] = {
    "harness": "0", "started": "now", "seconds": 1.0, "command": [], "exit_status": 1, "status": "forgotten", "errors": [],
    "versions": {}, "strict": False, "fail_on": "low", "baseline": {"reference": "base", "name": "base"},
    "tuned": {"reference": "lora", "name": "lora"},
}  # fmt: skip
HOSTILE = (
    "```\n</details></td><script>alert(1)</script>\n| a | b |\n@octocat #1 [x](https://evil.example) "
    "![](https://evil.example/p.png)\n````\n\u202e~~~\n# heading\n<!-- "
)
ATTACKS = ("@octocat", "<script>", "[x](", "![](")


def probe(
    id: str, before: str = "Paris.", after: str = "No.", suite: str = "facts", **more: Any
) -> dict[str, Any]:
    return {
        "suite": suite, "id": id, "category": None, "severity": "high", "fields": {"question": "Where?"},
        "expected": ["Paris"], "score": "mentions", "change": "lost",
        "baseline": {"answer": before, "right": True, "kind": "generate", "tokens": 2, "ended": "turn"},
        "tuned": {"answer": after, "right": False, "kind": "generate", "tokens": 2, "ended": "turn"}, **more,
    }  # fmt: skip


def report(*probes: dict[str, Any], gates: Any = (GATE,), **run: Any) -> str:
    record = {"run": {**RUN, **run}, "gates": list(gates), "probes": list(probes)}
    return render(Record.model_validate(record), "markdown")


def outside_code(text: str) -> str:
    """What GitHub reads as Markdown: the text without its fenced blocks and code spans."""
    kept, fence = [], ""
    for line in text.splitlines():
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if fence:
            fence = "" if line == fence else fence
        elif len(ticks) >= 3 and "`" not in line[len(ticks) :]:
            fence = ticks
        else:
            kept.append(line)
    assert not fence, "a block has an end"
    return "\n".join(_without_spans(line) for line in kept)


def _without_spans(line: str) -> str:
    shown = ""
    while line:
        if line[0] == "\\":
            line = line[2:]
            continue
        if line[0] != "`":
            shown, line = shown + line[0], line[1:]
            continue
        run = line[: len(line) - len(line.lstrip("`"))]
        rest = line[len(run) :]
        at = next(i for i in range(len(rest)) if rest.startswith(run, i) and rest[i + len(run) : i + len(run) + 1] != "`" and rest[i - 1 : i] != "`")  # fmt: skip
        line = rest[at + len(run) :]
    return shown


def test_the_verdict_comes_first_and_then_the_gates_and_both_answers():
    text = report(probe("a"))
    lines = text.splitlines()
    assert lines[0] == MARKER
    assert lines[1] == "## ❌ Forgotten\\: facts\\, 90 points lost"
    assert "| `facts` | 90.0 | 70 to 95 | 10 | 1 | 9 | 0 | 0 | ❌ FORGOTTEN |" in lines
    assert "```text\nParis.\n```\ntuned, wrong:\n```text\nNo.\n```" in text


@pytest.mark.parametrize("where", ["answer", "names", "question", "notes", "models"])
def test_nothing_that_others_wrote_is_read_as_markdown(where):
    gates, run, row = (GATE,), {}, probe("a")
    match where:
        case "answer":
            row = probe("a", before=HOSTILE, after=HOSTILE)
        case "names":
            gates, row = ({**GATE, "suite": HOSTILE},), probe(HOSTILE, suite=HOSTILE)
        case "question":
            row = {**row, "fields": {HOSTILE: HOSTILE}, "expected": [HOSTILE]}
        case "notes":
            run = {"notes": [HOSTILE], "observed": [HOSTILE], "errors": [HOSTILE], "untried": [HOSTILE]}
        case "models":
            run = {"tuned": {"reference": HOSTILE, "name": HOSTILE}}
    text = report(row, gates=gates, **run)
    rest = outside_code(text)
    assert [attack for attack in ATTACKS if attack in rest] == []
    tables = [line.count("|") for line in rest.splitlines() if line.startswith("|")]
    assert set(tables) == {10}
    assert rest.count("<details") == rest.count("</details>")
    assert "\u202e" not in text


@pytest.mark.parametrize("letter", ["x", "\n", "`", "é", "漢", "🙂", "|", "@a "])
def test_it_is_always_shorter_than_a_comment_may_be(letter):
    huge = letter * 20_000
    rows = [probe(f"p{n}", huge[:2_000], huge[:2_000], suite=f"s{n % 700}") for n in range(10_000)]
    rows[0] = probe(
        "first", huge * 5, huge * 5, severity="critical", expected=[huge], fields={"question": huge}
    )
    gates = [{**GATE, "suite": f"{letter}{n}" * 40} for n in range(700)]
    text = report(*rows, gates=gates, notes=[huge] * 100, observed=[huge] * 3, errors=[huge] * 50)
    assert len(text.encode()) <= MOST_BYTES + 100
    assert len(text.encode("utf-16-le")) // 2 < 65_536
    assert "first" in text
    assert text.endswith("Not all of it fits into a comment; the record has the rest.")
    assert outside_code(text).count("<details") == outside_code(text).count("</details>")


def test_no_words_push_the_verdict_out():
    row = {
        "because": "😀" * 600, "by": "Ana", "date": "2026-01-01", "place": "accepted.yaml:3", "baseline": "模" * 500, "asked": "0f" * 32,
    }  # fmt: skip
    standings = ["in force"] * 12 + ["another baseline"] * 400
    rows = [{**row, "probe": f"p{n}", "standing": standing} for n, standing in enumerate(standings)]
    text = report(accepted={"facts": rows}, errors=["😀" * 600] * 5, observed=["😀" * 600] * 20)
    assert text.startswith(f"{MARKER}\n## ❌ Forgotten")
    assert len(text.encode()) <= MOST_BYTES + 100


def test_a_green_run_has_a_verdict_and_no_lost_answers():
    gate = {**GATE, "verdict": "RETAINED", "outcome": "passed", "drop": 0.0, "interval": (-0.01, 0.02)}
    text = report(gates=[gate], status="passed", exit_status=0)
    assert "✅ Passed" in text
    assert "at most 2 points lost" in text
    assert "baseline, right" not in text


def test_cases_that_were_left_out_are_told():
    assert "2 cases selected: 2 decided; 7 left out." in report(cases=LEFT_OUT)
    assert "selected" not in report(cases={**LEFT_OUT, "left_out": 0})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a|b", "`a¦b`"), ("a\nb", "`a\\nb`"), (" ", ""),
        ("\\|", "`\\¦`"),
    ],
)  # fmt: skip
def test_a_code_span(text, shown):
    assert code(text) == shown


def test_prose_and_html_are_plain_text():
    assert prose("@a #1 <b>") == "\\@\u200ba \\#\u200b1 \\<b\\>"
    assert in_html("<b>&@_x_") == "<code>&lt;b&gt;&amp;&#64;&#95;x&#95;</code>"


def test_a_long_block_is_cut_and_says_so():
    assert block("a\n" * 100)[-1] == "(177 more characters)"
    assert block("`" * 5) == ["``````text", "`````", "``````"]


# The most telling


def ids(*rows: dict[str, Any]) -> list[str]:
    return [row.id for row in most_telling([ProbeRow.model_validate(row) for row in rows])]


def test_critical_probes_come_first_and_one_of_each_suite_before_a_second():
    rows = [probe(f"a{n}", suite="a") for n in range(4)] + [probe("b0", suite="b"), probe("c0", suite="c")]
    rows.append(probe("critical", suite="a", severity="critical"))
    assert ids(*rows) == ["critical", "a0", "b0", "c0", "a1"]


def test_answers_that_have_less_in_common_tell_more_and_cut_ones_less():
    near = probe("near", "It is Paris today", "It is London today")
    far = probe("far", "It is Paris today", "DRUG: no")
    cut = probe("cut", "It is Paris today", "DRUG: no")
    cut["baseline"]["ended"] = "limit"
    assert ids(near, cut, far)[0] == "far"
    assert ids(near, cut, far)[1:] in (["near", "cut"], ["cut", "near"])


def test_of_choices_the_probability_that_was_lost_decides():
    def choice(id: str, before: list[float], after: list[float]) -> dict[str, Any]:
        row = probe(id, choices=["Paris", "Rome"])
        for side, logprobs in (("baseline", before), ("tuned", after)):
            row[side] |= {"kind": "choose", "logprobs": logprobs}
        return row

    assert ids(choice("unsure", [-1, -1.1], [-1.1, -1]), choice("sure", [-0.1, -9], [-9, -0.1])) == [
        "sure",
        "unsure",
    ]
