"""Whatever is wrong with suites, options, models and engines: its exit code, one clear message, and never green."""

from __future__ import annotations

import json
import os
import re

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from tests.support.project import SMALL, not_green, said

ALL = "[{over: all, max_drop: 0.10}]"


def bomb():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    return SMALL + "\n".join(lines) + "\n"


def probe(text):
    return SMALL.replace("{id: a, question: Why?, answer: yes}", text)


def gate(text):
    return SMALL.replace("{over: each}", text)


BAD_SUITES = {
    "unknown key": (gate("{over: all, max_dorp: 0.1}"),
                    "s.yaml:3:21: unknown key 'max_dorp' in a gate\n  did you mean 'max_drop'?"),
    "repeated key": (SMALL + "score: mentions\n", "s.yaml:5:1: repeated key 'score'"),
    "repeated id": (probe("{id: a, question: Q?, answer: b}, {id: a, question: R?, answer: b}"),
                    "s.yaml:4:45: repeated id 'a'\n  line 4 has it already"),
    "no probes": (SMALL.replace("[{id: a, question: Why?, answer: yes}]", "[]"),
                  "s.yaml:4:9: 'probes' must be a non-empty list, saw an empty list"),
    "no gates": (SMALL.replace("[{over: each}]", "[]"),
                 "s.yaml:3:8: 'gates' must be a non-empty list, saw an empty list"),
    "empty answer": (probe("{id: a, question: Q?, answer: ''}"),
                     "s.yaml:4:32: an answer must not be empty: it would match anything"),
    "no answer": (probe("{id: a, question: Q?}"),
                  "s.yaml:4:10: the probe 'a' needs 'answer': the score 'mentions' compares with it"),
    "margin over 1": (gate("{over: all, max_drop: 10}"), "s.yaml:3:31: 'max_drop' must be at most 1, saw 10"),
    "margin below 0": (gate("{over: all, max_drop: -0.1}"), "'max_drop' must be at least 0, saw -0.1"),
    "margin NaN": (gate("{over: all, max_drop: .nan}"), "'max_drop' must be a finite number, saw nan"),
    "margin text": (gate("{over: all, max_drop: ten}"), "'max_drop' must be a number, saw text 'ten'"),
    "no margin": (gate("{over: all}"), "a gate over 'all' needs 'max_drop', the largest acceptable drop, or under 'likelihood' 'max_rise'"),
    "category": (gate("{over: category, max_drop: 0.1}"),
                 "s.yaml:3:10: a gate over 'category', but no probe has a category"),
    "regex": (probe("{id: a, question: Q?, answer: '(', score: regex}"), "s.yaml:4:32: not a regular expression:"),
    "missing field": (probe("{id: a, qestion: Q?, answer: b}"),
                      "s.yaml:4:18: unknown key 'qestion' in a probe: the prompt does not use it"),
    "choices": (SMALL.replace("score: mentions", "task: {answer: choose}").replace("answer: yes}", "answer: c, choices: [a, b]}"),
                "s.yaml:4:34: the answer 'c' is not one of the choices"),
    "tab": ("suite: s\ngates:\n\t- {over: each}\n", "s.yaml:3:1: not YAML: a tab where YAML allows only spaces"),
    "latin-1": (SMALL.replace("Why", "Wé").encode("latin-1"), "s.yaml:4:29: not UTF-8 text: saw byte 0xe9"),
    "tag": (probe("{id: a, question: !!python/name:os.system Q?, answer: b}"), "s.yaml:4:28: '!!python"),
    "python object": (SMALL + "about: !!python/object/apply:os.system [touch pwned]\n", "s.yaml:5:8: '!!python"),
    "alias bomb": (bomb(), "aliases expand to more than"),
    "not closed": (SMALL + "about: [a\n", "not YAML: "),
    "a list": ("- gates: 1\n- probes: 2\n", "a suite is a mapping of keys to values, saw a list"),
    "unknown score": (SMALL.replace("mentions", "mentoins"),
                      "s.yaml:2:1: unknown score 'mentoins'\n  did you mean 'mentions'?"),
    "NUL": (SMALL.replace("Why", "W\0"), "s.yaml:4:29: not YAML: "),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BAD_SUITES))
def test_a_bad_suite_is_a_collection_error(project, name):
    """A good suite beside it does not make the run green, nor is it asked anything."""
    text, message = BAD_SUITES[name]
    project.capability(ALL, (60, 0, 0, 0), file="good.yaml")
    project.write("s.yaml", text)
    result = project.run("s.yaml", "good.yaml")
    shown = not_green(result)
    assert result.ret == 2
    assert "ERROR collecting s.yaml" in shown
    assert message in shown
    assert project.asked("tuned") == []
    assert not (project.path / "pwned").exists()


def test_all_that_is_wrong_with_a_suite_is_said_at_once(project):
    project.write("s.yaml", SMALL.replace("over", "ovr").replace("answer", "anwser"))
    result = project.run("--collect-only")
    assert result.ret == 2
    text = said(result)
    assert "unknown key 'ovr' in a gate" in text
    assert "unknown key 'anwser' in a probe" in text


def test_two_suites_of_one_name(project):
    project.capability(ALL, (60, 0, 0, 0), name="general", file="a.yaml")
    project.capability(ALL, (60, 0, 0, 0), name="general", file="b.yaml")
    result = project.run()
    assert result.ret == 4
    text = not_green(result)
    assert "ERROR: b.yaml:1:1: a second suite called 'general'\n  the first is at a.yaml:1:1" in text
    assert project.asked("tuned") == []


# Options


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dtype", "float46"], "argument --dtype: must be one of auto, float32, bfloat16, float16, saw 'float46'; "
                                 "did you mean 'float16'?"),
        (["--template", "tunde"], "argument --template: must be one of own, baseline, tuned, saw 'tunde'; "
                                  "did you mean 'tuned'?"),
        (["--fail-on", "urgent"], "argument --fail-on: must be one of critical, high, medium, low, saw 'urgent'"),
        (["--batch-tokens", "0"], "argument --batch-tokens: must be a whole number of at least 1, saw '0'"),
        (["--batch-tokens", "many"], "argument --batch-tokens: must be a whole number of at least 1, saw 'many'"),
        (["--model"], "argument --model: expected one argument"),
        (["--modle", "x"], "unrecognized arguments: --modle"),
    ],
)  # fmt: skip
def test_a_bad_option(project, arguments, message):
    project.capability(ALL, (60, 0, 0, 0))
    result = project.run(*arguments)
    assert result.ret == 4
    assert message in not_green(result)
    assert project.asked("tuned") == []


@pytest.mark.parametrize("report", ["general.yaml", "general.yaml/deeper"])
def test_a_report_folder_that_cannot_be(project, report):
    project.capability(ALL, (60, 0, 0, 0))
    result = project.run(*project.folders(), "--report", report)
    assert result.ret == 4
    assert f"ERROR: --report={report}: no record can be written there: " in not_green(result)
    assert project.asked("tuned") == []


@pytest.mark.skipif(os.name != "posix", reason="the system's words of POSIX")
@pytest.mark.parametrize("option", ["report", "report-html", "report-markdown", "only-lost"])
def test_a_path_that_the_system_refuses(project, option):
    project.capability(ALL, (60, 0, 0, 0))
    result = project.run(*project.folders(), f"--{option}={'x' * 300}")
    assert result.ret == 4
    assert "File name too long" in not_green(result)


def test_a_report_folder_that_cannot_be_without_a_model(project):
    project.capability(ALL, (60, 0, 0, 0))
    result = project.run("--report", "general.yaml")
    assert result.ret == 4
    assert "--report=general.yaml: no record can be written there: " in not_green(result)


# Models


def test_no_model(project):
    project.write("s.yaml", SMALL)
    result = project.run()
    assert result.ret == 4
    assert (
        "ERROR: s.yaml: a suite needs a model to gate\n"
        "  name it: --model=PATH_OR_HUB_ID (a folder, a PEFT adapter, org/name, or a recipe)"
    ) in not_green(result)


@pytest.mark.parametrize("side", ["baseline", "tuned"])
def test_one_engine_of_one_s_own_is_not_enough(project, side):
    project.capability(ALL, (60, 0, 0, 0))
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text.replace(f"def {side}()", f"def {side}_of_ours()"))
    result = project.run()
    assert result.ret == 4
    assert "a suite needs a model to gate" in not_green(result)


def test_a_baseline_alone_is_not_enough(project):
    project.write("s.yaml", SMALL)
    result = project.run(*project.folders()[2:])
    assert result.ret == 4
    assert "a suite needs a model to gate" in not_green(result)


def write_adapter(project, base):
    project.write("adapter/adapter_config.json", json.dumps({"base_model_name_or_path": base}))
    project.write("adapter/adapter_model.safetensors", "x")


def break_model(project, how):
    """Break something; returns the arguments of the run."""
    model, baseline = project.folders()[1::2]
    arguments = ["--model", model, "--baseline", baseline]
    match how:
        case "near name":
            arguments[1] = "./tunde"
        case "no folder":
            arguments[1] = "/not/there"
        case "a file":
            arguments[1] = "tuned/model.safetensors"
        case "empty name":
            arguments[1] = ""
        case "no hub":
            arguments[1] = "org/name@main"
        case "no model":
            (project.path / "tuned/config.json").rename(project.path / "tuned/notes.json")
        case "no weights":
            (project.path / "tuned/model.safetensors").unlink()
        case "pickled":
            (project.path / "tuned/model.safetensors").rename(project.path / "tuned/pytorch_model.bin")
        case "pickled baseline":
            (project.path / "base/model.safetensors").rename(project.path / "base/pytorch_model.bin")
        case "no baseline":
            del arguments[2:]
        case "a baseline that is not there":
            arguments[3] = "./bsae"
        case "card":
            del arguments[2:]
            project.write("tuned/README.md", "---\nbase_model: ./nowhere\n---\n")
        case "adapter without base":
            write_adapter(project, "./nowhere")
            arguments = ["--model", "adapter"]
        case "adapter that names none":
            write_adapter(project, None)
            arguments = ["--model", "adapter"]
        case "adapter that is no JSON":
            write_adapter(project, "base")
            project.write("adapter/adapter_config.json", "{")
            arguments = ["--model", "adapter"]
        case "pickled adapter":
            write_adapter(project, "base")
            (project.path / "adapter/adapter_model.safetensors").rename(
                project.path / "adapter/adapter_model.bin"
            )
            arguments = ["--model", "adapter"]
        case "no recipe":
            arguments = ["--model", "fixtures/none.yaml"]
        case "bad recipe":
            project.write("fixtures/bad.yaml", "recipe: bad\nlearning_rat: 1\n")
            arguments = ["--model", "fixtures/bad.yaml"]
    return arguments


MODEL_ERRORS = {
    "near name": "./tunde: no such folder\n  did you mean 'tuned'?",
    "no folder": "/not/there: no such folder\n  a hub id has the form org/name or org/name@revision",
    "a file": "tuned/model.safetensors: is a file; a model is a folder, a hub id or a fixture (.yaml)",
    "empty name": "--model: is empty",
    "no hub": "org/name@main: no such folder, it was not downloaded before, and the hub cannot be reached\n"
              "  LocalEntryNotFoundError: offline",
    "no model": "tuned: a folder without a model: neither config.json nor adapter_config.json is in it\n"
                "  saw: model.safetensors, notes.json",
    "no weights": "tuned: no weights: there is no model.safetensors in ",
    "pickled": "tuned: its weights are pickled (.bin), which can run code when they are read\n"
               "  save them as safetensors, or allow it: --allow-pickle",
    "pickled baseline": "base: its weights are pickled (.bin)",
    "no baseline": "tuned: no baseline to compare with: it is a full model, and its model card (README.md) names "
                   "no base_model\n  name it: --baseline=PATH_OR_HUB_ID",
    "a baseline that is not there": "./bsae: no such folder\n  did you mean 'base'?",
    "card": "tuned: the base_model './nowhere' of its model card cannot be found\n"
            "  name it: --baseline=PATH_OR_HUB_ID\n  ./nowhere: no such folder",
    "adapter without base": "adapter: the adapter's base model './nowhere' (from adapter_config.json) cannot be "
                            "found\n  name it: --baseline=PATH_OR_HUB_ID\n  ./nowhere: no such folder",
    "adapter that names none": "adapter_config.json: names no base_model_name_or_path",
    "adapter that is no JSON": "adapter_config.json: cannot be read as JSON: ",
    "pickled adapter": "adapter: its weights are pickled (.bin)",
    "no recipe": "fixtures/none.yaml: cannot be read: No such file or directory",
    "bad recipe": "fixtures/bad.yaml:2:1: unknown key 'learning_rat' in a recipe\n  did you mean 'learning_rate'?",
}  # fmt: skip


@pytest.mark.parametrize("how", sorted(MODEL_ERRORS))
def test_a_model_that_cannot_be_used(project, monkeypatch, how):
    """The suite's own engines are never asked: what --model names is found first, before anything is collected."""

    def offline(*arguments, **named):
        raise LocalEntryNotFoundError("offline")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    project.capability(ALL, (60, 0, 0, 0))
    result = project.run(*break_model(project, how))
    text = not_green(result)
    assert result.ret == 4
    assert MODEL_ERRORS[how] in text
    assert text.count("ERROR: ") == 1
    assert "passed" not in text
    assert project.asked("tuned") == []
    record = project.record()
    assert (record["run"]["exit_status"], record["gates"]) == (4, [])
    assert MODEL_ERRORS[how] in record["run"]["errors"][0]


# Engines

ENGINE = """
import pytest
from harness.engine.functions import FunctionEngine
from harness.engine.requests import Generated
from harness.errors import EngineError, ModelError

class Broken(FunctionEngine):
    def __init__(self):
        super().__init__(lambda prompt: "yes", "mine")

    def ask(self, requests, progress=None):
        answers = super().ask(requests, progress)
        BODY

@pytest.fixture(scope="session")
def baseline():
    return FunctionEngine(lambda prompt: "yes", "before")

@pytest.fixture(scope="session")
def tuned():
    MAKE
"""
TWO_PROBES = (
    "suite: s\nscore: mentions\ngates: [{over: each}, {over: all, max_drop: 0.5}]\nprobes:\n"
    + "".join(f"  - {{id: {id}, question: '{id}?', answer: yes}}\n" for id in "abc")
)


def broken(project, body="return answers", make="return Broken()", suite=TWO_PROBES):
    project.write("s.yaml", suite)
    project.write("conftest.py", ENGINE.replace("BODY", body).replace("MAKE", make))
    return project.run()


def test_the_broken_engine_passes_where_nothing_is_broken(project):
    assert broken(project).ret == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise EngineError('mine: the logits are NaN')", "mine: the logits are NaN"),
        ("return answers[:-1]", "mine: gave 2 answers to 3 requests"),
        ("return []", "mine: gave 0 answers to 3 requests"),
        ("return answers * 2", "mine: gave 6 answers to 3 requests"),
        (
            "return [Generated(None, 0)] * 3",
            "cannot be asked: the probe 'a'\n  mine: an answer's text must be text, saw NoneType",
        ),
        (
            "return [*answers[:2], None]",
            "cannot be asked: the probe 'c'\n  mine: must answer with Generated, saw NoneType",
        ),
        ("return ['yes'] * 3", "mine: must answer with Generated, saw str"),
        ("return 'yes'", "mine: must give a list of answers, saw str"),
        ("return None", "mine: must give a list of answers, saw NoneType"),
        ("return (answer for answer in answers)", "mine: must give a list of answers, saw generator"),
        ("raise RuntimeError('out of order')", "mine: it raised RuntimeError: out of order (conftest.py:"),
        ("raise SystemExit(0)", "mine: it raised SystemExit: 0 (conftest.py:"),
        ("pytest.skip('not today')", "mine: it raised Skipped: not today (conftest.py:"),
    ],
)
def test_an_engine_that_breaks_is_never_green(project, body, message):
    result = broken(project, body)
    assert result.ret != 0
    text = said(result)
    assert " passed" not in text
    assert not project.has_record() or project.record()["gates"] == []
    if message:
        assert result.ret == 4
        assert "s.yaml:1:1: the suite 's' cannot be " in text
        assert not re.search("Traceback|INTERNALERROR|harness/", text)
        assert text.count(message) <= 2  # the failure itself, and perhaps the last line that repeats it
        assert message in text
        assert "Interrupted: the models could not be asked" in text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        ("raise ModelError('x: is broken\\n  do that')", "x: is broken\n  do that"),
        ("return lambda prompt: 'yes'", "the fixture 'tuned' must give an Engine, saw function"),
        ("return None", "the fixture 'tuned' must give an Engine, saw NoneType"),
    ],
)
def test_a_fixture_that_gives_no_engine(project, make, message):
    result = broken(project, make=make)
    assert result.ret == 4
    assert message in not_green(result)


@pytest.mark.parametrize(
    ("task", "probe", "kind"),
    [
        ("{answer: choose}", "{id: a, question: Q?, choices: [b, c], answer: b}", "choose"),
        ("{answer: likelihood, format: text}", "{id: a, text: Some text.}", "likelihood"),
    ],
)
def test_an_engine_that_cannot_give_this_kind_of_answer(project, task, probe, kind):
    result = broken(project, suite=f"suite: s\ntask: {task}\ngates: [{{over: each}}]\nprobes: [{probe}]\n")
    assert result.ret == 4
    assert f"the suite 's' cannot be asked\n  before: it has no 'answer: {kind}'" in not_green(result)


def test_an_engine_that_breaks_later_takes_nothing_back_and_passes_nothing_more(project):
    """The first suite was decided; the second breaks: exit code 4, and the record has both facts."""
    project.capability(ALL, (60, 0, 0, 0), name="first")
    project.capability(ALL, (60, 0, 0, 0), name="second")
    project.capability(ALL, (60, 0, 0, 0), name="third")
    project.models({}, {"second kept-9?": None})
    result = project.run()
    assert result.ret == 4
    assert project.outcomes() == {"first all": ("RETAINED", "passed")}
    assert project.record()["run"]["exit_status"] == 4
    assert not any("third" in prompt for prompt in project.asked("tuned"))


def test_models_that_are_prompted_differently_are_told(project):
    project.capability(ALL, (60, 0, 0, 0))
    text = (project.path / "conftest.py").read_text()
    project.write("conftest.py", text + "\n\nclass Other(Scripted):\n    def render(self, prompt):\n"
                  "        return super().render(prompt) + ''.join([' '] * (self.label == 'tuned'))\n\n"
                  "    def answer(self, prompt):\n        return super().answer(prompt.strip())\n\n"
                  "Scripted = Other\n")  # fmt: skip
    said_of_them = (
        "note: general: the two models are shown different text in 60 of 60 prompts: the baseline reads"
    )
    assert said_of_them in said(project.run())
