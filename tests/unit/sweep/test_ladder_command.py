"""What `python -m harness ladder` refuses before anything is trained, its options, and pages that are rendered again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.conftests import import_conftests
from harness.cli.main import main
from harness.engine.requests import Generate, Generated
from harness.spelling import on_command_line
from harness.sweep import run as module
from harness.sweep.record import read_sweep
from harness.sweep.schedule import read_schedule
from tests.support.scorers import as_before
from tests.support.suites import suite_text
from tests.support.sweeps import GOOD, RECIPE, Fake, run_sweep, sweep_options

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
        "copy.yaml:1:1: a second recipe called 'careful'\n  the first is at careful_recipe.yaml:1:1\n"
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
    plan = read_schedule(sweep_options(suites=("suites",)))
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
    plan = read_schedule(sweep_options(suites=("general.yaml", "coding.yaml")))
    assert [one.suite.name for one in plan.general] == ["general"]
    assert [on_command_line(note) for note in plan.notes] == [
        "coding: left out, because it runs code that a model wrote; include it with --allow-code"
    ]
    plan = read_schedule(sweep_options(suites=("general.yaml", "coding.yaml"), allow_code=True))
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
        (["--seeds", "1,4294967296"], "argument --seeds: must be at most 4294967295, saw '4294967296'"),
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


SCORE = """\
from harness import scorer

@scorer("said")
def said(text: str, expected: list[str]) -> bool:
    return {}
"""


def test_another_score_of_the_users_own_is_another_measurement(folder):
    """As is another version of the code that judges and decides."""
    text = suite_text("general", 5).replace("score: equals", "score: said")
    (folder / "general.yaml").write_text(text, encoding="utf-8")
    contents = []
    for right in ("text in expected", "text in expected", "True"):
        (folder / "conftest.py").write_text(SCORE.format(right), encoding="utf-8")
        with as_before():
            import_conftests([Path("conftest.py")])
            (asked,) = read_schedule(sweep_options()).general
            contents.append(asked.content)
    assert contents[0] == contents[1] != contents[2]


# The command line


def test_options_reach_the_ladder(folder, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "sweep", lambda *given: seen.append(given) or 0)
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
    run_sweep(Fake(GOOD), "careless", "careful", "third")
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
    run_sweep(Fake(GOOD))
    capsys.readouterr()
    before = {path: path.read_bytes() for path in (folder / "out").iterdir()}

    def write_bytes(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    assert main(["ladder", "--render", "out"]) == 4
    assert capsys.readouterr().err == (
        "--report=out: no record can be written there: No space left on device\n"
        "  make room there, or name another folder: --report=DIR\n"
    )
    assert {path: path.read_bytes() for path in (folder / "out").iterdir()} == before


def test_an_argument_that_is_no_text_is_written_escaped(folder):
    run_sweep(Fake(GOOD), command=("--from", "\udcff"))
    assert read_sweep(folder / "out").run.command == ["--from", "\\udcff"]


def test_rendered_by_other_rules(folder, capsys):
    run_sweep(Fake(GOOD), "careless", "careful", "third")
    assert main(["ladder", "--render", "out", "--matched", "1", "--from", "third"]) == 0
    record = read_sweep(folder / "out")
    assert [(one.name, one.rank) for one in record.rungs] == [
        ("careful", 1),
        ("third", 2),
        ("careless", 3),
    ]
    assert [one.learning for one in record.rungs] == ["cannot be told", "matched", "cannot be told"]
    assert (record.matched, record.reference) == (1.0, "third")
    assert json.loads((folder / "out/ladder.json").read_text(encoding="utf-8"))["matched"] == 1.0


def test_rendered_where_the_report_is(folder):
    run_sweep(Fake(GOOD))
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
        "--render takes no recipes, since it trains nothing: saw careless_recipe.yaml",
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--seeds", "1,2"], "--seeds"),
        (["--suite", "general.yaml", "--sample", "5"], "--suite, --sample"),
        (["--vary", "epochs=1,2"], "--vary"),
        (["--device", "cpu", "--allow-code"], "--allow-code, --device"),
    ],
)
def test_what_says_how_to_measure_does_nothing_where_pages_are_rendered(folder, capsys, arguments, named):
    run_sweep(Fake(GOOD))
    capsys.readouterr()
    assert ended(capsys, "--render", "out", *arguments) == (
        4,
        f"{named}: would do nothing with --render, which trains nothing\n"
        "  leave that out, or leave --render out to measure anew",
    )


def test_nothing_to_render(folder, capsys):
    assert main(["ladder", "--render", "nowhere"]) == 4
    assert capsys.readouterr().err == (
        "nowhere/ladder.json: the record of a ladder cannot be read: No such file or directory\n"
        "  name another, or run again what wrote it\n"
    )


def test_generated_answers_are_what_the_fake_gives():
    """The fake is right on the first so many probes, or none of this shows anything."""
    engine = Fake(GOOD).engine("x", {"general": 2})
    from harness.engine.requests import Plain

    answers = engine.ask([Generate(Plain(f"general {i}?"), 5) for i in range(3)])
    assert answers == [Generated("right", 1), Generated("right", 1), Generated("wrong", 1)]
