"""`python -m harness new`: a suite that is sound and that nothing is wrong with, for every kind of answer and score."""

from __future__ import annotations

import pytest

from harness.authoring.examples import PROBES
from harness.authoring.lint_rules import weaknesses
from harness.authoring.new_suite import ANSWERS, scores_for
from harness.cli.main import main
from harness.engine.prompts import request
from harness.scoring import SCORERS
from harness.suites.read import read_suite

ALL = [(answer, score) for answer in ANSWERS for score in scores_for(answer)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def at_a_terminal(monkeypatch):
    """Answers what is asked with the given lines, and keeps the questions."""

    def sit(*lines: str) -> list[str]:
        questions: list[str] = []
        left = iter(lines)

        def answer(question: str) -> str:
            questions.append(question)
            try:
                return next(left)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", answer)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        return questions

    return sit


@pytest.mark.parametrize(("answer", "score"), ALL)
@pytest.mark.parametrize("categories", [None, "one,two words", "a,b,c,d,e,f"])
def test_every_kind_is_sound_and_not_weak(folder, answer, score, categories):
    more = ["--categories", categories] if categories else []
    assert main(["new", "mine", "--answer", answer, "--score", score, *more]) == 0
    suite = read_suite(folder / "suites" / "mine.yaml", SCORERS)
    assert [weak.message for weak in weaknesses(suite, with_battery=True)] == [
        "'about' is empty",
        f"{len(suite.probes)} of {len(suite.probes)} probes are the examples of a new suite",
    ]
    assert suite.name == "mine"
    assert suite.task.answer == answer
    assert {probe.scorer.name for probe in suite.probes} == {score}
    assert [request(suite, probe) for probe in suite.probes]
    assert set(suite.categories()) <= set((categories or "").split(","))


def test_there_is_an_example_for_every_answer():
    assert {SCORERS[score].judges for score in PROBES} == set(ANSWERS)


def test_what_is_not_said_has_a_default(folder, capsys):
    assert main(["new", "facts"]) == 0
    assert capsys.readouterr().out == (
        "suites/facts.yaml: 4 example probes for you to replace\n"
        "next: python -m harness preview suites/facts.yaml\n"
    )
    suite = read_suite(folder / "suites" / "facts.yaml", SCORERS)
    assert (suite.severity, suite.task.answer, suite.probes[0].scorer.name) == (
        "high",
        "generate",
        "mentions",
    )


@pytest.mark.parametrize(
    "about", ['It: "keeps" {x} # y', "two\nlines", "日本語 \\ \t", "- no", "x" * 300, "\x1b[2J"]
)
def test_any_sentence_comes_back_as_it_was(folder, about):
    assert main(["new", "facts", "--about", about]) == 0
    assert read_suite(folder / "suites" / "facts.yaml", SCORERS).about == about


@pytest.mark.parametrize("name", ["true", "12", "Null", "été", "a&b", "{x}", "*a"])
def test_any_good_name_comes_back_as_it_was(folder, name):
    assert main(["new", name, "--categories", name, "--out", "x.yaml"]) == 0
    suite = read_suite(folder / "x.yaml", SCORERS)
    assert (suite.name, suite.categories()) == (name, (name,))


def test_the_schema_is_found_from_the_file(folder):
    hint = "# yaml-language-server: $schema="
    assert main(["new", "a"]) == 0
    assert hint not in (folder / "suites" / "a.yaml").read_text(encoding="utf-8")
    (folder / "docs").mkdir()
    (folder / "docs" / "suite.schema.json").write_text("{}", encoding="utf-8")
    assert main(["new", "b", "--out", "deep/er/b.yaml"]) == 0
    first = (folder / "deep" / "er" / "b.yaml").read_text(encoding="utf-8").partition("\n")[0]
    assert first == f"{hint}../../docs/suite.schema.json"


def test_a_file_is_not_overwritten_unless_forced(folder, capsys):
    assert main(["new", "a"]) == 0
    (folder / "suites" / "a.yaml").write_text("precious", encoding="utf-8")
    assert main(["new", "a"]) == 4
    assert capsys.readouterr().err == (
        "suites/a.yaml exists\n  name another file with --out, or overwrite it with --force\n"
    )
    assert (folder / "suites" / "a.yaml").read_text(encoding="utf-8") == "precious"
    assert main(["new", "a", "--force"]) == 0


NAME = "a name without spaces, colons, slashes, backslashes and square brackets"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a b"], f"NAME must be {NAME}, saw 'a b'"),
        (["../a"], f"NAME must be {NAME}, saw '../a'"),
        (["a\x1b"], f"NAME must be {NAME}, saw 'a\\x1b'"),
        (
            ["a", "--severity", "hihg"],
            "--severity must be one of critical, high, medium, low, saw 'hihg'\n  did you mean 'high'?",
        ),
        (["a", "--answer", "x"], "--answer must be one of generate, choose, likelihood, saw 'x'"),
        (["a", "--answer", "choose", "--score", "mentions"], "--score must be one of choice, saw 'mentions'"),
        (
            ["a", "--categories", "a,b]"],
            "--categories must be a name in one line without colons, square brackets, tabs and spaces at its ends, "
            "saw 'b]'",
        ),
        (["a", "--out", "a.txt"], "a.txt: a suite file ends in .yaml"),
    ],
)
def test_wishes_that_cannot_be_met(folder, capsys, arguments, message):
    assert main(["new", *arguments]) == 4
    assert capsys.readouterr().err == f"{message}\n"
    assert list(folder.iterdir()) == []


def test_it_asks_for_what_was_not_said(folder, at_a_terminal):
    questions = at_a_terminal("Sums.", "critical", "generate", "number", "easy, hard")
    assert main(["new", "sums"]) == 0
    suite = read_suite(folder / "suites" / "sums.yaml", SCORERS)
    assert (suite.about, suite.severity, suite.categories()) == ("Sums.", "critical", ("easy", "hard"))
    assert suite.probes[0].scorer.name == "number"
    assert questions[0] == "What does it protect, in a sentence: "
    assert questions[1] == "How bad is a loss (critical, high, medium, low) [high]: "
    assert len(questions) == 5


def test_it_asks_again_after_a_slip_and_not_for_what_was_said(folder, at_a_terminal, capsys):
    questions = at_a_terminal("hihg", "", "")
    assert main(["new", "s", "--about", "x", "--answer", "choose"]) == 0
    assert len(questions) == 3
    assert "did you mean 'high'?" in capsys.readouterr().err
    assert read_suite(folder / "suites" / "s.yaml", SCORERS).severity == "high"


def test_whoever_leaves_leaves_nothing(folder, at_a_terminal, capsys):
    at_a_terminal("about")
    assert main(["new", "s"]) == 4
    assert capsys.readouterr().err == "\nnothing was written\n"
    assert list(folder.iterdir()) == []


def test_nothing_is_asked_without_a_terminal(folder, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("asked"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["new", "s"]) == 0
