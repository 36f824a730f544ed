"""The pages of a ladder: the terminal's and Markdown's words, a page that escapes what models and files say, a plot."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.reporting.figures import INK, inline, svg
from harness.reporting.rows import AnswerRow, GateRow
from harness.sweep.page import sweep_page
from harness.sweep.pareto_plot import pareto, spread_out
from harness.sweep.record import read_sweep
from harness.sweep.results import deciding, measured_again, ranked
from harness.sweep.text import escaped, markdown_page, notes, table, terminal_lines
from tests.support.ladders import LORA, ladder, recipe, rung, shipped
from tests.support.pages import addresses, parse

ROOT = Path(__file__).parents[3]

HOSTILE = "<script>alert('$x$')<b>&`|*"
"""A name that a recipe may have, and that HTML, Markdown and matplotlib would each make something else of."""


def small(name: str = "gentle", **changed):
    return ladder(
        rung(recipe("careless"), (38, 53)),
        rung(recipe(name, method=LORA), (38, 9, 1)),
        rung(recipe("short", epochs=1), (12, 5)),
        rung(
            recipe("hot", learning_rate=0.5), error="hot.yaml:9:1: training failed\n  lower the learning_rate"
        ),
        **changed,
    )


def plot(record) -> str:
    return svg(pareto(record))


# Text


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([["passed", "warned"]], "passes"),
        ([["passed", "failed"]], "fails"),
        ([["failed"], ["passed"], ["failed"]], "fails 2 of 3"),
        ([["passed"], ["passed"]], "passes"),
        ([["passed"], ["skipped"], ["passed"]], "passes 2 of 3"),
        ([["failed"], ["skipped"]], "fails 1 of 2"),
        ([["skipped"]], "-"),
        ([[]], "-"),
    ],
)
def test_the_gates_of_a_recipe_are_decided_as_in_any_run(outcomes, said):
    row = rung(recipe("gentle"), *[(38, 9)] * len(outcomes))
    seeds = [
        seed.model_copy(
            update={"gates": [GateRow.model_construct(suite="s", outcome=outcome) for outcome in of_seed]}
        )
        for seed, of_seed in zip(row.seeds, outcomes, strict=True)
    ]
    record = ladder(
        row.model_copy(update={"seeds": seeds}), rung(recipe("careless"), *[(38, 53)] * len(outcomes))
    )
    heading, *rows = table(record)
    assert ("gate" in heading) == (said != "-")
    if said != "-":
        assert next(each for each in rows if "gentle" in each)[heading.index("gate")] == said
    assert any(note.startswith("Gate: ") for note in notes(record)) == (outcomes != [[]])


def test_the_table_in_a_terminal():
    lines = list(terminal_lines(small()))
    assert lines[:15] == [
        "base     tiny, on cpu in float32",
        "target   drug-info, 40 probes, baseline 0.0 % right",
        "general  general-qa, 100 probes, baseline 60.0 % right",
        "         checklist, 100 probes, baseline 60.0 % right",
        "failed: hot: hot.yaml:9:1: training failed",
        "  lower the learning_rate",
        "",
        "rank  recipe    gain  90 % interval  rank by  drop  90 % interval  verdict       training",
        "   1  gentle    95.0   82.6 to 98.3      7.0   8.0      4.7 to 12  INCONCLUSIVE      60 s  Pareto front",
        "   2  careless  95.0   82.6 to 98.3     49.0  53.0   47.2 to 58.7  FORGOTTEN         60 s  reference",
        "less  short     30.0   19.7 to 42.9        -   5.0       3 to 8.2  RETAINED          60 s  Pareto front, learnt less",
        "   -  hot          -              -        -     -              -  -                    -  failed",
        "",
        "drop on   general-qa  checklist",
        "gentle           8.0        8.0",
    ]
    assert max(map(len, lines[15:])) <= 110
    assert lines[-3:] == [
        "Take 'gentle': a drop of 9 points (90 % interval 4.3 to 15.2) at a gain of 95. It lost least of 2 recipes on",
        "100 general probes; the drop is that on 100 others, which had no part in choosing it. Whether it loses more",
        "than 10 points cannot be told from 100 probes.",
    ]


def test_how_much_was_learnt_is_marked_with_the_rank():
    record = ladder(
        rung(recipe("careless"), (38, 53)), rung(recipe("soso"), (35, 9)), rung(recipe("short"), (12, 5))
    )
    assert [
        tuple(line.split()[place] for place in (0, 1, -1)) for line in list(terminal_lines(record))[6:9]
    ] == [("1?", "soso", "less?"), ("2", "careless", "reference"), ("less", "short", "less")]
    page = markdown_page(record, None)
    assert (
        "Rank: 'less' marks a recipe that learnt less than 90 % of the best, shown by the same target probes of both and "
        "allowing for the choice of the best among 3 recipes; '?' one of which that cannot be told."
    ) in page
    assert {"learnt less", "learnt less?"} <= {text.get_text() for text in pareto(record).legends[0].texts}


def test_the_first_is_judged_by_probes_that_did_not_choose_it():
    """Here it lost nothing of the half that decides, and all the rest."""
    record = small()
    decides = deciding(record.suites)
    answers = iter(decides)
    (first,) = record.recipe("gentle").seeds
    suites = {
        suite.name: [AnswerRow(answer="", right=next(answers)) for _ in suite.probes]
        for suite in record.suites
    }
    lucky = first.model_copy(update={"suites": suites})
    rows = [
        row.model_copy(update={"seeds": [lucky]}) if row.name == "gentle" else row for row in record.rungs
    ]
    record = ranked(measured_again(record.model_copy(update={"rungs": rows})))
    assert record.rungs[0].name == "gentle"
    assert record.rungs[0].ranking_drop < 0
    assert record.held_out.effect.drop == pytest.approx(0.6, abs=0.1)
    assert re.search(r"^   1  gentle .* FORGOTTEN ", "\n".join(terminal_lines(record)), re.MULTILINE)
    in_page = re.search(r'title="gentle">gentle<.*?</tr>', sweep_page(record, None), re.DOTALL)
    assert 'class="word FORGOTTEN">FORGOTTEN<' in in_page[0]
    assert "come from the other half." in markdown_page(record, None)
    alone = ladder(rung(recipe("careless"), (38, 53)), rung(recipe("short"), (12, 5)))
    assert alone.held_out is None
    assert "rank by" not in markdown_page(alone, None)


def test_seeds_have_a_column_of_their_own():
    record = ladder(rung(recipe("a"), (38, 10), (36, 20)), rung(recipe("b"), (38, 5), (38, 6)))
    heading, first, second = list(terminal_lines(record))[5:8]
    assert re.search(r"  90 % interval +by seed  verdict ", heading)
    assert re.search(r" 5 to 6  INCONCLUSIVE ", first)
    assert re.search(r" 10 to 20  INCONCLUSIVE ", second)
    of_seeds, of_one = "the variance between the seeds' drops", "say nothing about the next seed"
    assert of_seeds in markdown_page(record, None)
    assert of_one not in markdown_page(record, None)
    assert of_one in markdown_page(small(), None)
    assert of_one in sweep_page(small(), None)


def test_a_ladder_that_is_not_finished_says_so():
    record = small(planned=["careless", "gentle", "short", "hot", "later"])
    text = "\n".join(terminal_lines(record))
    assert "not finished: 4 of 5 recipes tried, without later" in text
    assert "not finished: 4 of 5 recipes tried, without later" in sweep_page(record, None)


def test_nothing_learnt_is_said_in_place_of_a_ranking():
    record = ladder(rung(recipe("a"), (1, 2)), rung(recipe("b"), (0, 1)))
    lines = list(terminal_lines(record))
    assert not any("rank " in line for line in lines)
    assert lines[-1] == "No recipe can be recommended."
    assert any(line.startswith("no ranking is possible: no recipe has shown to learn") for line in lines)
    assert any(line.startswith("  train longer or at a higher rate") for line in lines)


def test_a_terminal_is_not_obeyed():
    record = small("\x1bcgentle")
    assert "\x1b" not in "\n".join(terminal_lines(record))
    assert "\\u001bcgentle" in "\n".join(terminal_lines(record))


def test_markdown():
    page = markdown_page(small(), "pareto.svg")
    assert page.startswith("# Which recipe forgets least\n\n**Take 'gentle': a drop of 9 points ")
    assert "\n![Gain on the target task against the drop on general suites](pareto.svg)\n" in page
    assert "\n|    1 | gentle   | 95.0 |  82.6 to 98.3 |" in page
    assert "\n- **LoRA** (measured): 'gentle' (adapters of rank 16 instead of" in page
    assert "\n- **replay** (published, not measured here): 1 % of rehearsal" in page
    assert page.endswith("\n")


def test_markdown_obeys_no_name():
    page = markdown_page(small(HOSTILE), "pareto.svg")
    assert "<script>" not in page
    assert escaped(HOSTILE) == "&lt;script&gt;alert('\\$x\\$')&lt;b&gt;&amp;\\`\\|\\*"
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows[:6]} == {len(re.findall(r"\|", rows[0]))}


# HTML


def hostile(text: str = HOSTILE):
    """A ladder in which every text that comes from elsewhere is hostile."""
    record = small("".join(text.split()))
    texts = ("base", "device", "dtype", "harness", "started", "weights")
    lists = {"command": [text], "notes": [f"</p>{text}"], "versions": {text: text}}
    run = record.run.model_copy(update={**dict.fromkeys(texts, f"</dd>{text}"), **lists})
    bad = f'"></code></div>{text}<img src=x onerror=alert(1)>'

    def spoilt(suite):
        probes = [
            one.model_copy(update={
                "id": bad, "fields": {bad: bad}, "expected": [bad],
                "baseline": one.baseline.model_copy(update={"answer": bad}),
            })
            for one in suite.probes
        ]  # fmt: skip
        return suite.model_copy(update={"name": bad, "path": bad, "about": bad, "probes": probes})

    rungs = []
    for one in record.rungs:
        seeds = [
            seed.model_copy(update={
                "suites": {bad: [row.model_copy(update={"answer": bad}) for row in seed.suites["general-qa"]]},
                "notes": [bad],
            })
            for seed in one.seeds
        ]  # fmt: skip
        measured = one.measured and one.measured.model_copy(
            update={"by_suite": {bad: one.measured.by_suite["general-qa"]}}
        )
        rungs.append(
            one.model_copy(update={"seeds": seeds, "measured": measured, "error": one.error and bad})
        )
    suites = [spoilt(record.suites[0]), spoilt(record.suites[0])]
    return record.model_copy(
        update={"run": run, "rungs": rungs, "suites": suites, "target": spoilt(record.target)}
    )


def test_the_page_obeys_nothing_from_elsewhere():
    record = hostile()
    tags = parse(sweep_page(record, plot(record)))
    assert not {"script", "b", "img"} & set(tags.seen)
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    assert "".join(tags.text).count(HOSTILE) > 20


OBEYED = "\x1b\x9b\x00\x07\x85\u202e\u2066\u200b\u2028\u061c\ufeff\U000e0041\r"


def test_nothing_that_is_not_to_be_seen_is_in_any_page():
    record = hostile(OBEYED)
    drawn = plot(record)
    ET.fromstring(drawn)
    pages = [
        drawn,
        sweep_page(record, drawn),
        markdown_page(record, "pareto.svg"),
        "\n".join(terminal_lines(record)),
    ]
    for page in pages:
        assert set(OBEYED) & set(page) == set()
        assert "\\u001b" in page.replace("\\\\", "\\")  # as Markdown escapes the backslash


def test_a_recipe_may_have_a_name_in_any_script():
    name = "عربي-עברית-हिन्दी-日本-👩\u200d👧"
    record = small(name)
    drawn = plot(record)
    assert name in drawn
    assert sweep_page(record, drawn).count(name) > 3
    assert name in markdown_page(record, None)


def test_the_page_stands_alone():
    record = small()
    page = sweep_page(record, plot(record))
    tags = parse(page)
    assert addresses(tags) == []
    assert not re.search(r"url\((?!#)|@import", page)
    assert tags.seen.count("svg") == 1
    assert "Take 'gentle': a drop of 9 points" in "".join(tags.text)
    assert "prefers-color-scheme: dark" in page


def test_the_page_shows_what_was_lost():
    text = "".join(parse(sweep_page(small(), None)).text)
    assert "careless: 106 lost" in text
    assert re.search(
        r"general-qa · p0\s+question \"Question 0\?\"\s+expected \"Paris\"\s+baseline \"It is Paris.\"", text
    )
    assert '"DRUG-INFO: none"' in text
    assert "under seed" not in text


def test_the_page_that_ships_is_that_of_its_record():
    example = ROOT / "reports" / "example"
    drawn = (example / "pareto.svg").read_text(encoding="utf-8")
    assert sweep_page(read_sweep(example), drawn) == (example / "ladder.html").read_text(encoding="utf-8")


def test_a_page_without_measurements():
    record = ladder(rung(recipe("a"), error="NaN"))
    assert pareto(record) is None
    text = "".join(parse(sweep_page(record, None)).text)
    assert "no recipe could be measured, so none can be ranked" in text
    assert "No recipe can be recommended." in text
    assert "No recipe can be recommended." in markdown_page(record, None)


# The plot

SVG = "{http://www.w3.org/2000/svg}"


def words(document: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(document).iter(f"{SVG}text")]


def test_the_plot_is_valid_and_names_every_recipe():
    record = shipped()
    seen = words(plot(record))
    for one in record.rungs:
        if one.measured:
            assert (f"{one.rank}  {one.name}" if one.rank else one.name) in seen
    assert "too-high" not in seen
    assert "margin 10" in seen
    assert "90 % of the best gain" in seen


def test_the_same_record_gives_the_same_bytes():
    assert plot(small()) == plot(small())
    assert "dc:date" not in plot(small())


def test_a_name_is_text_to_the_plot():
    assert f"1  {HOSTILE[:25]}…" in words(plot(small(HOSTILE)))
    ET.fromstring(inline(plot(small(HOSTILE))).replace("xlink:", ""))


def test_letters_that_matplotlib_cannot_draw():
    assert "1  慎重" in words(plot(small("慎重")))


def test_inline_takes_the_pages_colours():
    element = inline(plot(small()))
    assert element.startswith("<svg")
    assert element.endswith("</svg>")
    assert INK not in element
    assert "currentColor" in element
    assert "<metadata>" not in element


def test_marks_lie_within_the_plot():
    """No bar is clipped: every interval is inside the axes, and so is the gain that is enough."""
    record = ranked(shipped().model_copy(update={"matched": 0.1}))
    axes = pareto(record).axes[0]
    assert axes.get_xlim()[0] < 9.5
    for one in record.rungs:
        if one.measured:
            assert axes.get_xlim()[0] < 100 * one.measured.gain_interval[0]
            assert axes.get_xlim()[1] > 100 * one.measured.gain_interval[1]
            assert axes.get_ylim()[0] < 100 * one.measured.drop_interval[0]
            assert axes.get_ylim()[1] > 100 * one.measured.drop_interval[1]


def test_bars_are_the_intervals():
    record = shipped()
    drawn = []
    for bars in pareto(record).axes[0].containers:
        across, along = (collection.get_segments()[0] for collection in bars.lines[2])
        drawn.append((*across[:, 0], *along[:, 1]))
    assert drawn == [
        pytest.approx([100 * end for end in (*one.measured.gain_interval, *one.measured.drop_interval)])
        for one in record.rungs
        if one.measured
    ]


@pytest.mark.parametrize("count", [1, 2, 13, 40])
def test_names_do_not_overlap(count):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    record = ladder(*(rung(recipe(f"recipe-number-{place}"), (38, place // 3)) for place in range(count)))
    figure = pareto(record)
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [
        text.get_window_extent(renderer) for text in figure.axes[0].texts if "recipe-" in text.get_text()
    ]
    assert len(boxes) == count
    width, height = figure.get_size_inches() * figure.dpi
    assert all(box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in boxes)
    boxes.sort(key=lambda box: box.y0)
    assert all(lower.y1 <= upper.y0 for lower, upper in pairwise(boxes))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12).map(sorted), st.floats(0.001, 0.08))
def test_places_are_spread_out(wanted, apart):
    places = spread_out(wanted, apart)
    assert len(places) == len(wanted)
    assert all(later - earlier >= apart - 1e-9 for earlier, later in pairwise(places))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    if all(later - earlier >= apart for earlier, later in pairwise(wanted)):
        assert places == pytest.approx(wanted, abs=1e-6)


def test_more_names_than_there_is_room_for_share_it():
    assert spread_out([0.5] * 5, 0.9) == pytest.approx([0, 0.25, 0.5, 0.75, 1])
