"""Custom scores: classes, plain functions and installed packages, in YAML by name; and what cannot be a score."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

import harness.scoring.registry as registry
from harness.engine.requests import Generated
from harness.errors import ScorerError
from harness.scoring import SCORERS, Score, Scorer, load_scorers, score, scorer
from tests.support.packages import install_module
from tests.support.scorers import as_before

HEAD = "suite: s\ngates: [{over: each}]\n"
PROBE = "probes:\n  - {id: a, question: Why?, answer: yes}\n"


@pytest.fixture(autouse=True)
def _scores_as_before():
    with as_before():
        yield


def judge(read, spec: str, text: str, probe: str = PROBE) -> bool:
    suite = read(f"{HEAD}score: {spec}\n{probe}")
    return score(suite.probes[0], Generated(text, 1)).right


@pytest.fixture
def ends():
    @scorer("ends")
    class Ends(Scorer):
        """The text ends with an answer, give or take so many characters."""

        slack: Annotated[int, Field(ge=0)] = 0

        def right(self, text: str, expected: Sequence[str]) -> bool:
            return any(answer in text[-len(answer) - self.slack :] for answer in expected)

    return Ends


def test_a_class_is_a_score(ends, read):
    assert SCORERS["ends"] is ends
    assert ends.name == "ends"
    assert judge(read, "ends", "I say yes")
    assert not judge(read, "ends", "I say yes.")
    assert judge(read, "{ends: {slack: 1}}", "I say yes.")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("end", "3:1: unknown score 'end'\n  did you mean 'ends'?"),
        ("{ends: {slak: 1}}", "3:16: unknown key 'slak' in the score 'ends'\n  did you mean 'slack'?"),
        (
            "{ends: {slack: -1}}",
            "3:23: 'slack' must be at least 0, saw -1\n  write: score: {ends: {slack: 1}}",
        ),
        (
            "{ends: {slack: '1'}}",
            "3:23: 'slack' must be a whole number, saw text '1'\n  write: score: {ends: {slack: 1}}",
        ),
    ],
)
def test_the_parameters_of_a_class_are_checked(ends, problems, spec, said):
    assert problems(f"{HEAD}score: {spec}\n{PROBE}") == said


def test_a_class_that_breaks_on_an_answer_of_a_suite_is_named(ends, problems, monkeypatch):
    def breaks(self, expected):
        raise ValueError("no float")

    monkeypatch.setattr(ends, "expected_problem", breaks)
    first, *rest = problems(f"{HEAD}score: ends\n{PROBE}").splitlines()
    assert (
        ": the score 'ends' cannot tell whether 'yes' can be right: it raised ValueError: no float (" in first
    )
    assert rest == []


@pytest.fixture
def shouts():
    @scorer("shouts")
    def shouts(text: str, expected: Sequence[str], *, least: int = 1, mark: Literal["!", "?"] = "!") -> bool:
        """An answer stands in the text in capitals, with so many marks."""
        return any(one.upper() in text for one in expected) and text.count(mark) >= least

    return shouts


def test_a_function_is_a_score(shouts, read):
    assert shouts("YES!", ["yes"])  # and still a function
    assert (SCORERS["shouts"].__doc__ or "").startswith("An answer stands in the text in capitals")
    assert judge(read, "shouts", "YES!")
    assert not judge(read, "shouts", "yes!")
    assert not judge(read, "{shouts: {least: 2}}", "YES!")
    assert judge(read, "{shouts: {least: 2, mark: '?'}}", "YES??")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("shots", "3:1: unknown score 'shots'\n  did you mean 'shouts'?"),
        ("{shouts: {leest: 1}}", "3:18: unknown key 'leest' in the score 'shouts'\n  did you mean 'least'?"),
        ("{shouts: {parameter_least: 1}}",
         "3:18: unknown key 'parameter_least' in the score 'shouts'"),
        ("{shouts: {least: 1.5}}", "3:25: 'least' must be a whole number, saw 1.5"),
        ("{shouts: {mark: '.'}}", "3:24: 'mark' must be ! or ?, saw text '.'"),
    ],
)  # fmt: skip
def test_the_parameters_of_a_function_are_checked(shouts, problems, spec, said):
    assert problems(f"{HEAD}score: {spec}\n{PROBE}") == said


def test_a_parameter_without_a_default_is_needed(read, problems):
    @scorer("longer")
    def longer(text: str, than: int) -> bool:
        return len(text) > than

    probe = "probes:\n  - {id: a, question: Why?}\n"
    assert judge(read, "{longer: {than: 3}}", "four", probe)
    assert not judge(read, "{longer: {than: 4}}", "four", probe)
    assert problems(f"{HEAD}score: longer\n{probe}") == "3:1: the score 'longer' needs 'than'"


def test_whether_a_function_takes_answers_says_whether_probes_have_them(problems, read):
    @scorer("alone")
    def alone(text: str) -> bool:
        return text == "ok"

    @scorer("perhaps")
    def perhaps(text: str, expected: Sequence[str] = ()) -> bool:
        return text in expected if expected else text == "ok"

    @scorer("always")
    def always(text: str, expected: Sequence[str]) -> bool:
        return text in expected

    bare = "probes:\n  - {id: a, question: Why?}\n"
    assert judge(read, "alone", "ok", bare)
    assert problems(f"{HEAD}score: alone\n{PROBE}") == "5:29: 'answer' has no meaning under the score 'alone'"
    assert judge(read, "perhaps", "ok", bare)
    assert judge(read, "perhaps", "yes")
    assert problems(f"{HEAD}score: always\n{bare}") == (
        "5:5: the probe 'a' needs 'answer': the score 'always' compares with it"
    )


def test_a_parameter_may_have_any_name(read):
    @scorer("named")
    def named(text: str, *, name: str, right: bool, json: list[str], model_fields: float = 0.5) -> bool:
        return (text, right, json, model_fields) == (name, True, ["a"], 2.0)

    spec = "{named: {name: hello, right: true, json: [a], model_fields: 2}}"
    assert judge(read, spec, "hello", "probes:\n  - {id: a, question: Why?}\n")
    assert SCORERS["named"].model_validate({"name": "x", "right": True, "json": []}).written() == {
        "name": "x", "right": True, "json": [],
    }  # fmt: skip


def test_a_taken_name(ends):
    place = f"{Path(__file__).name}:{ends.right.__code__.co_firstlineno - 6}"
    with pytest.raises(ValueError, match=rf"^there is a score 'ends' already, from .*{place} \(.*Ends\)$"):

        @scorer("ends")
        class Other(Scorer):
            def right(self, text: str, expected: Sequence[str]) -> bool:
                return True

    with pytest.raises(
        ValueError, match=r"^there is a score 'mentions' already, from .*text\.py:\d+ \(Mentions\)$"
    ):
        scorer("mentions")(lambda text: True)
    assert SCORERS["ends"] is ends


def test_a_file_may_be_loaded_again():
    def load():
        @scorer("again")
        def again(text: str) -> bool:
            return True

    load()
    first = SCORERS["again"]
    load()
    assert SCORERS["again"] is not first


class NoJudge(Scorer):
    pass


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pydantic's own, of the same mistake

    class Taken(Scorer):
        runs_code: bool = False  # type: ignore[misc]

        def right(self, text, expected):
            return True


async def later(text: str) -> bool:
    return True


def unfound(text: str, x: Nowhere) -> bool:  # type: ignore[name-defined]  # noqa: F821
    return True


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict, "must be a function or a class made from Scorer, saw the class dict"),
        (42, "must be a function or a class made from Scorer, saw 42"),
        (later, "must be a function or a class made from Scorer, saw <function later"),
        (NoJudge, "needs a method: def right(self, text, expected) -> bool"),
        (Taken, "cannot have a parameter 'runs_code': every Scorer has its own"),
        (lambda: True, "must take the text that it judges as its first parameter"),
        (lambda *, text: True, "must take the text that it judges as its first parameter"),
        (lambda text, x: True, "must say of which type its parameter 'x' is\n  annotate it: x: int"),
        (lambda text, *rest: True, "cannot take '*rest': suites give its parameters by name"),
        (lambda text, **rest: True, "cannot take '**rest': suites give its parameters by name"),
        (unfound, "has an annotation that cannot be found: name 'Nowhere' is not defined"),
    ],
)
def test_what_cannot_be_a_score(given, said):
    with pytest.raises(TypeError) as caught:
        scorer("odd")(given)
    assert str(caught.value).startswith(f"the score 'odd' {said}")
    assert "odd" not in SCORERS


@pytest.mark.parametrize("name", ["", " ", " x", None, later])
def test_a_score_needs_a_name(name):
    with pytest.raises(TypeError, match=r'^a score needs a name: write @scorer\("name"\), saw '):
        scorer(name)


def test_a_class_has_one_name(ends):
    with pytest.raises(TypeError, match="^the class Ends is the score 'ends' already: make a class from it$"):
        scorer("finishes")(ends)
    scorer("finishes")(type("Finishes", (ends,), {"__module__": __name__}))
    assert (SCORERS["ends"].name, SCORERS["finishes"].name) == ("ends", "finishes")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a package with an entry point, as an installer would."""

    def write(source: str, point: str = "polite = polite_scores", name: str = "polite_scores"):
        install_module(monkeypatch, tmp_path / "site", name, source, "forgetting_gate.scorers", point)
        return tmp_path / "site"

    return write


POLITE = """\
from harness.scoring import scorer

@scorer("polite")
def polite(text: str, *, word: str = "please") -> bool:
    return word in text
"""


@pytest.mark.parametrize("point", ["polite = polite_scores", "polite = polite_scores:polite"])
def test_an_installed_package_brings_a_score(package, point):
    package(POLITE, point)
    assert "polite" not in SCORERS
    known = load_scorers()
    assert known is SCORERS
    assert known["polite"]().right("yes please", [])


def test_packages_are_imported_once(package, monkeypatch):
    package(POLITE)
    assert load_scorers() is load_scorers()
    monkeypatch.setattr(registry, "entry_points", lambda **_: pytest.fail("looked again"))
    load_scorers()


def test_nothing_is_imported_before_suites_are_read(package):
    folder = package("print('imported')\n" + POLITE)
    code = "import harness.scoring; print('ready'); harness.scoring.load_scorers(); harness.scoring.load_scorers()"
    root = Path(registry.__file__).parents[2]
    path = os.pathsep.join([str(root), str(folder)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["ready", "imported"]


@pytest.mark.parametrize(
    ("source", "point", "said"),
    [
        ("1 / 0", "polite = polite_scores",
         "the score 'polite' of polite_scores cannot be loaded from polite_scores\n"
         "  ZeroDivisionError: division by zero"),
        (POLITE, "polite = polite_scores:rude",
         "the score 'polite' of polite_scores cannot be loaded from polite_scores:rude\n"
         "  AttributeError: module 'polite_scores' has no attribute 'rude'"),
        (POLITE, "rude = polite_scores",
         "the package polite_scores names a score 'rude' that polite_scores does not register\n"
         '  write @scorer("rude") before it'),
        (POLITE.replace('"polite"', '"equals"'), "equals = polite_scores",
         "the score 'equals' of polite_scores cannot be loaded from polite_scores\n"
         "  ValueError: there is a score 'equals' already, from "),
    ],
)  # fmt: skip
def test_a_package_that_is_broken_says_which(package, source, point, said):
    package(source, point)
    with pytest.raises(ScorerError) as caught:
        load_scorers()
    assert str(caught.value).startswith(said)


def test_a_function_judges_through_score():
    @scorer("yes")
    def yes(text: str) -> bool:
        return text == "yes"

    from harness.suites.suite import Probe

    assert score(Probe("p", SCORERS["yes"]()), Generated("yes", 1)) == Score(True, "yes")
