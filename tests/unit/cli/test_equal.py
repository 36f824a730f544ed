"""`python -m harness equal`: forms by reference, what is printed and recorded, and how it ends."""

from __future__ import annotations

import json

import pytest

from harness import compare_forms
from harness.api.models import named_by
from harness.cli.main import main
from harness.engine import registry
from harness.errors import HarnessError
from tests.support.suites import suite_text

CONFTEST = '''
from harness import FunctionEngine, engine_for


@engine_for("form")
def form(endpoint, settings):
    """Answers wrong every so often, or says more than was asked."""
    name, _, number = endpoint.rest.partition("-")
    def answer(prompt):
        index = int(prompt.rstrip("?").split()[-1])
        wrong = name == "wrong" and index % int(number) == 0
        return "wrong" if wrong else "right" if name != "wordy" else "Right!"
    return FunctionEngine(answer, endpoint.name)
'''


@pytest.fixture
def equal(tmp_path, monkeypatch, capsys):
    """Runs the command over a suite of 80 probes; returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "OPENERS", {})
    monkeypatch.setattr(registry, "_PLACES", {})
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "s.yaml").write_text(suite_text("s", 80))

    def run(*arguments: str, suite: str = "s.yaml"):
        code = main(["equal", *arguments, "--suite", suite, "--conftest", "conftest.py"])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_a_form_that_answers_alike_is_the_same(equal):
    code, out, _ = equal("form:first", "form:second")
    assert code == 0
    assert out.splitlines() == [
        "against form:first: margins 5 % of flips and 3 points of accuracy",
        "",
        "form         same answers        flips  90 % interval  drop  nats a token  verdict",
        "form:second      80 of 80  0.0 % of 80     0 to 3.3 %     0             -  the same",
    ]


def test_other_words_are_told_but_only_flips_count(equal):
    code, out, _ = equal("form:first", "form:wordy")
    assert code == 0
    assert "form:wordy       0 of 80  0.0 % of 80     0 to 3.3 %     0             -  the same" in out
    assert '  s s-0: from character 1 on, "right" became "Right!"' in out
    assert "  and 17 more answers that differ: the record has them" in out


def test_a_form_that_differs_fails_and_the_worst_of_several_decides(equal):
    code, out, _ = equal("form:first", "form:wrong-2", "form:second", "form:wrong-40", "--report", "r")
    assert code == 1
    verdicts = {
        line.split()[0]: line.rpartition("  ")[2] for line in out.splitlines() if line.startswith("form:")
    }
    assert verdicts["form:wrong-2"] == "DIFFERS"
    assert verdicts["form:second"] == "the same"
    assert verdicts["form:wrong-40"] == "cannot tell"
    assert "% of the probes flip, by 80 probes: with a margin of 5 % that can be either" in out
    assert out.splitlines()[-3:] == [f"record: r/{number}/record.json" for number in (2, 3, 4)]
    assert equal("form:first", "form:wrong-40")[0] == 5
    assert equal("form:first", "form:wrong-40", "--max-flips", "0.2")[0] == 0


def test_its_record_is_one_of_a_run(equal, tmp_path, capsys):
    equal("form:first", "form:wrong-2", "--report", "r", "--sample", "60")
    record = json.loads((tmp_path / "r/record.json").read_text())
    assert (record["run"]["status"], record["run"]["exit_status"], record["run"]["sample"]) == (
        "forgotten",
        1,
        60,
    )
    row = record["run"]["equal"]["suites"]["s"]
    assert (row["probes"], row["same"] + row["flips"]) == (60, 60)
    for form in ("terminal", "markdown", "html"):
        assert main(["show", "r", "--format", form]) == 0
        shown = capsys.readouterr().out
        assert "Not the same model" in shown
        assert "no usual cause was found" in shown.lower()
        assert "mitigation" not in shown
    assert main(["rescore", "r"]) == 1
    assert equal("form:first", "form:second", "--report", "r")[0] == 0
    assert [path.suffix for path in (tmp_path / "r/earlier").iterdir()] == [".json"]


def test_a_suite_that_no_form_knows_decides_nothing(equal, tmp_path):
    (tmp_path / "s.yaml").write_text(suite_text("s", 80).replace("answer: right", "answer: unknown"))
    code, out, _ = equal("form:first", "form:second")
    assert code == 5
    assert "cannot tell" in out


@pytest.mark.parametrize(
    ("arguments", "suite", "code", "said"),
    [
        (["form:first"], "s.yaml", 4, "equal: needs two forms of a model\n  name both: equal ./adapter ./merged"),
        (["form:first", "form:a", "form:first"], "s.yaml", 4, "equal: form:first is named twice, and is the same as itself"),
        (["form:first", "./gone"], "s.yaml", 4, "./gone: no such folder"),
        (["form:first", "form:b"], "gone.yaml", 2, "gone.yaml"),
    ],
)  # fmt: skip
def test_input_that_cannot_be_used_is_refused(equal, arguments, suite, code, said):
    found = equal(*arguments, suite=suite)
    assert found[0] == code
    assert said in found[2]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("./adapter", "adapter"),
        ("adapter", "adapter/"),
        ("adapter", "latest"),
        ("vllm:adapter", "vllm:./adapter"),
        ("a.gguf", "gguf:./a.gguf"),
        ("r.yaml", "./r.yaml"),
        ("http://h:1/v1#m", "http://h:1#m"),
    ],
)
def test_a_form_by_two_names_is_refused(equal, tmp_path, first, second):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "latest").symlink_to("adapter")
    code, _, said = equal(first, second)
    assert (code, f"equal: {first}, as {second} too, is named twice" in said) == (4, True), said


@pytest.mark.parametrize(
    ("first", "second"),
    [("vllm:adapter", "adapter"), ("http://h:1/v1#m", "http://h:2/v1#m"), ("http://h:1#m", "http://h:1#n")],
)
def test_a_form_elsewhere_is_another(first, second):
    assert named_by(first) != named_by(second)


def test_an_earlier_record_does_not_stay_if_the_input_cannot_be_read(equal, tmp_path):
    assert equal("form:first", "form:second", "--report", "r")[0] == 0
    assert equal("form:first", "form:second", "--report", "r", suite="gone.yaml")[0] == 2
    assert not (tmp_path / "r" / "record.json").exists()
    assert len(list((tmp_path / "r" / "earlier").iterdir())) == 1


def test_a_margin_is_a_fraction(equal, capsys):
    with pytest.raises(SystemExit) as ended:
        equal("form:first", "form:b", "--max-flips", "1")
    assert ended.value.code == 4
    assert "must be a number above 0 and below 1, such as 0.05, saw '1'" in capsys.readouterr().err


def test_suites_that_ship_are_known_by_name(equal):
    code, _, err = equal("form:first", "form:second", suite="general-qas")
    assert (code, "general-qas" in err) == (2, True)
    assert equal("form:first", suite="general-qa")[2].startswith("equal: needs two forms")


def test_python_compares_functions(tmp_path):
    (tmp_path / "s.yaml").write_text(suite_text("s", 80))

    def first(prompt):
        return "right"

    def other(prompt):
        return "wrong"

    [record] = compare_forms([first, other], tmp_path / "s.yaml")
    assert record.run.exit_status == 1
    assert record.run.equal.suites["s"].flips == 80
    with pytest.raises(HarnessError, match="max_flips must be a fraction such as 0.05, saw 2"):
        compare_forms([first, other], tmp_path / "s.yaml", max_flips=2)
    with pytest.raises(HarnessError, match="needs two forms"):
        compare_forms([first], tmp_path / "s.yaml")


@pytest.mark.parametrize("knows", [0, 1], ids=["nothing", "one"])
@pytest.mark.parametrize("first_knows", [True, False])
def test_what_one_form_alone_knows_flips_whichever_comes_first(tmp_path, knows, first_knows):
    for name in ("aa", "bb"):
        (tmp_path / f"{name}.yaml").write_text(suite_text(name, 100))

    def good(prompt):
        return "right"

    def broken(prompt):
        suite, number = prompt.rstrip("?").split()
        return "right" if suite == "aa" or int(number) < knows else "wrong"

    forms = [good, broken] if first_knows else [broken, good]
    [record] = compare_forms(forms, tmp_path)
    assert record.run.exit_status == 1
    assert record.run.equal.suites["bb"].flips == 100 - knows
    [flips] = [gate for gate in record.gates if gate.slice == "flips"]
    assert (flips.n, flips.verdict) == (200, "FORGOTTEN")


def test_what_neither_form_knows_dilutes_no_flips(tmp_path):
    for name in ("aa", "bb"):
        (tmp_path / f"{name}.yaml").write_text(suite_text(name, 100))

    def form(wrong):
        return lambda prompt: (
            "right" if prompt.startswith("aa") and int(prompt.rstrip("?").split()[1]) >= wrong else "no"
        )

    [record] = compare_forms([form(0), form(8)], tmp_path)
    [flips] = [gate for gate in record.gates if gate.slice == "flips"]
    assert (flips.n, flips.lost + flips.gained) == (100, 8)


def test_a_suite_that_runs_code_is_left_out_of_a_folder(equal, tmp_path):
    code_suite = (
        "suite: code\nscore: {python: {tests: ['assert f() == 1']}}\ngates: [{over: all, max_drop: 0.1}]\n"
    )
    (tmp_path / "code.yaml").write_text(code_suite + "probes: [{id: a, question: Write f.}]\n")
    code, _, err = equal("form:first", "form:second", suite=".")
    assert code == 0, err
    assert "note: code: left out, because it runs code that a model wrote" in err


def test_settings_that_act_on_no_form_are_refused(tmp_path):
    (tmp_path / "s.yaml").write_text(suite_text("s", 80))
    with pytest.raises(HarnessError, match="engine: would do nothing here"):
        compare_forms([lambda prompt: "right", lambda prompt: "right"], tmp_path, engine="vllm")
