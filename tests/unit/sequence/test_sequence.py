"""A sequence over models that answer by script: its matrix, measures, gates, pages, and what it refuses."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.engine.functions import FunctionEngine
from harness.errors import EngineError, ModelError
from harness.reporting.figures import svg
from harness.sequence import run as module
from harness.sequence.page import sequence_page
from harness.sequence.plot import heat_map
from harness.sequence.schedule import read_schedule
from harness.sequence.text import conclusion, terminal_lines
from tests.support.engines import Cutting, Likely
from tests.support.sequences import (
    NAMES,
    RECIPE,
    ROWS,
    Fake,
    N,
    options,
    ran,
    read_sequence,
    write_tasks,
)
from tests.support.suites import suite_text


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_tasks(tmp_path)
    return tmp_path


def test_the_matrix_and_its_measures(folder, capsys):
    code, record = ran(ROWS)
    assert code == 0
    assert [[round(rate.value * N) for rate in step.accuracy] for step in record.steps] == [
        [row[name] for name in NAMES] for row in ROWS
    ]
    assert [step.after for step in record.steps] == [None, *NAMES]
    found = {row.name: row.value for row in record.measures}
    assert found == pytest.approx(
        {
            "average accuracy": (12 + 32 + 36) / 3 / N,
            "backward transfer": ((12 - 36) + (32 - 40)) / 2 / N,
            "forgetting": ((36 - 12) + (40 - 32)) / 2 / N,
            "forward transfer": ((8 - 4) + (8 - 8)) / 2 / N,
        }
    )
    for row in record.measures:
        low, high = row.interval
        assert low < row.value < high
    out = capsys.readouterr().out
    assert "Earlier tasks lost 40.0 points to those after them (90 % interval" in out
    assert "(nothing)   0.0   10.0  20.0" in out
    assert {path.name for path in Path("out").iterdir()} == {
        "sequence.json", "sequence.html", "sequence.md", "matrix.svg",
    }  # fmt: skip


def test_gates_after_each_task_are_against_the_base(folder, capsys):
    code, record = ran(ROWS, suites=["kept.yaml"])
    assert code == 1
    assert [[row.outcome for row in step.gates] for step in record.steps] == [
        [], ["passed"], ["failed"], ["failed"],
    ]  # fmt: skip
    assert [step.drop and step.drop.value for step in record.steps] == [None, 0.0, 0.5, 0.5]
    assert "after b, 1 gate failed: kept all" in capsys.readouterr().out


def test_one_note_a_suite_says_how_many_answers_after_all_tasks_were_cut(folder, monkeypatch):
    scripted = Fake.engine
    monkeypatch.setattr(Fake, "engine", lambda self, step: Cutting(scripted(self, step)))
    _, record = ran(ROWS, suites=["kept.yaml"])
    assert [note for note in record.run.notes if note.startswith("kept")] == [
        "kept: max_new_tokens (64) cut 0 % of the baseline's answers and 0 to 50 % of those of 3 tuned models; a cut answer is "
        "judged as far as it goes"
    ]
    assert len(record.run.notes) == 5, "a note of the models, and one on each suite"


def test_gates_that_decide_nothing_are_no_pass(folder, capsys):
    (folder / "few.yaml").write_text(suite_text("few", 6), encoding="utf-8")
    code, _ = ran([{**row, "few": 6} for row in ROWS], suites=["few.yaml"])
    assert code == 5
    assert "after a, no gate decided anything: not gated, 6 probes" in capsys.readouterr().out


TEXTS = (
    "suite: texts\ntask: {format: text, answer: likelihood}\ngates: [{over: all, max_rise: 0.1}]\nprobes:\n"
)


@pytest.mark.parametrize(("suites", "drop"), [(["kept.yaml", "texts.yaml"], 0.5), (["texts.yaml"], None)])
def test_texts_are_not_pooled_with_what_is_right_or_wrong(folder, monkeypatch, suites, drop):
    lines = "\n".join(f"  - {{id: t{place}, text: Some words here.}}" for place in range(60))
    (folder / "texts.yaml").write_text(TEXTS + lines, encoding="utf-8")
    scripted = Fake.engine
    monkeypatch.setattr(Fake, "engine", lambda models, step: Likely(scripted(models, step)))
    _, record = ran(ROWS, suites=suites)
    assert [step.drop and step.drop.value for step in record.steps][2] == drop
    assert [row.rise for row in record.steps[2].gates if row.suite == "texts"] == [0.0]


def test_probes_that_go_together_widen_every_interval(folder):
    _, apart = ran(ROWS, suites=["kept.yaml"])
    for name in ("a_task", "kept"):
        text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
        for place in range(N):
            text = text.replace(f"-{place}, category", f"-{place}, cluster: t{place // 8}, category")
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    _, together = ran(ROWS, suites=["kept.yaml"])

    def width(rate):
        return rate.interval[1] - rate.interval[0]

    before, after = apart.steps[2], together.steps[2]
    gate = next(row for row in after.gates if row.suite == "kept" and row.slice == "all")
    assert after.drop.interval == pytest.approx(gate.interval)
    assert width(after.drop) > 2 * width(before.drop)
    assert width(after.accuracy[0]) > 2 * width(before.accuracy[0])
    assert after.accuracy[1] == before.accuracy[1]


def test_all_is_well_without_a_loss(folder):
    rows = [
        {name: 40 if NAMES.index(name) < step else 0 for name in NAMES} | {"kept": 40} for step in range(4)
    ]
    code, record = ran(rows, suites=["kept.yaml"])
    assert code == 0
    assert conclusion(record).startswith(
        "Whether earlier tasks lost or gained by those after them cannot be told"
    )


def test_gains_from_later_tasks(folder):
    _, record = ran([{}, {"a": 10}, {"a": 30, "b": 40}], "a", "b")
    assert conclusion(record).startswith("Earlier tasks gained 50.0 points from those after them")


def test_a_training_that_fails_leaves_what_was_measured(folder, capsys):
    with pytest.raises(ModelError):
        ran([ROWS[0], ROWS[1], "it broke"])
    record = read_sequence(Path("out"))
    assert ([step.after for step in record.steps], record.measures) == ([None, "a"], [])
    assert conclusion(record) == "Not finished: 1 of 3 tasks learnt."
    ElementTree.fromstring(svg(heat_map(record)))


def test_pages_of_an_earlier_sequence_do_not_stay(folder):
    ran(ROWS)
    with pytest.raises(ModelError):
        ran([ROWS[0], "it broke"])
    assert {path.name for path in Path("out").iterdir()} == {"sequence.json"}


def test_nor_does_its_record_if_nothing_can_be_measured(folder):
    ran(ROWS)
    given = options()
    with pytest.raises(EngineError):
        module.run_sequence(read_schedule(given), given, Broken(ROWS))
    assert list(Path("out").iterdir()) == []


def test_nor_do_they_if_its_input_cannot_be_read(folder):
    ran(ROWS)
    (folder / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    assert main(["sequence", "a.yaml", "nowhere.yaml", "--out", "out"]) == 2
    assert [path.name for path in Path("out").iterdir()] == ["mine.txt"]


class Broken(Fake):
    """Models of which none can be loaded."""

    @contextmanager
    def pair(self):
        raise EngineError("no memory")
        yield


CHECKLIST = """\
suite: checks
severity: critical
score: equals
gates: [{over: each}]
probes:
  - {id: one, question: checks 0?, answer: right, also_ask: [checks 1?, checks 2?]}
"""


@pytest.mark.parametrize(("wrong", "code", "verdict"), [((0,), 0, "RETAINED"), ((0, 1, 2), 1, "FORGOTTEN")])
def test_a_single_probe_that_is_lost_is_asked_again_in_other_words(folder, wrong, code, verdict):
    """As the gate does: one wrong answer in the first words alone is no loss."""
    (folder / "checks.yaml").write_text(CHECKLIST, encoding="utf-8")
    given = options("a", "b", suites=["checks.yaml"])
    models = Worded([{}, {"a": N}, {"a": N, "b": N}], wrong)
    assert module.run_sequence(read_schedule(given), given, models) == code
    record = read_sequence(Path("out"))
    assert [[row.verdict for row in step.gates] for step in record.steps] == [[], [verdict], [verdict]]
    assert [step.answers["checks"][0].right for step in record.steps] == [True, False, False]


class Worded(Fake):
    """The base is right on a checklist in any words; trained models are wrong on it in some of them."""

    def __init__(self, right, wrong):
        super().__init__(right)
        self.wrong = {f"checks {number}?" for number in wrong}

    def engine(self, step):
        scripted = super().engine(step)

        def answer(prompt):
            if not prompt.startswith("checks"):
                return scripted.function(prompt)
            return "wrong" if step and prompt in self.wrong else "right"

        return FunctionEngine(answer, f"step {step}")


def test_a_sample_of_what_is_kept(folder):
    _, record = ran(ROWS, suites=["kept.yaml"], sample=30)
    assert [len(record.steps[0].answers[name]) for name in ("a", "kept")] == [N, 30]


def test_names_and_answers_are_escaped(folder):
    _, record = ran(ROWS)
    hostile = "<script>alert(1)</script>\x1b[31m$x_1$"
    tasks = [task.model_copy(update={"name": hostile}) for task in record.tasks]
    record = record.model_copy(update={"tasks": tasks})
    page = sequence_page(record, svg(heat_map(record)))
    assert "<script>alert" not in page
    assert "\x1b" not in page + "\n".join(terminal_lines(record))


def test_the_command_reads_before_it_trains(folder, capsys, monkeypatch):
    monkeypatch.setattr(module, "run_sequence", lambda *given: pytest.fail("nothing should be trained"))

    def ended(*arguments):
        code = main(["sequence", *arguments])
        return code, capsys.readouterr().err.rstrip("\n")

    assert ended("a.yaml") == (
        4,
        "a sequence needs two recipes or more, in the order of training\n  name them: python -m harness sequence a.yaml b.yaml",
    )
    assert ended("a.yaml", "./a.yaml") == (2, "a.yaml: this recipe is given twice")
    (folder / "d.yaml").write_text(RECIPE.format(name="d").replace("d_task", "a_task"), encoding="utf-8")
    assert ended("a.yaml", "d.yaml") == (
        2,
        "d.yaml:3:1: the target of 'd' is that of 'a' (a.yaml:3:1)\n  each task of a sequence has a suite of its own",
    )
    (folder / "e.yaml").write_text(
        RECIPE.format(name="e").replace("target: e_task.yaml\n", ""), encoding="utf-8"
    )
    code, message = ended("a.yaml", "e.yaml")
    assert (code, "the recipe 'e' has no 'target'" in message) == (2, True)
    (folder / "other").mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / "other" / name).write_bytes((folder / "base" / name).read_bytes())
    text = RECIPE.format(name="b").replace("base: base", "base: other")
    (folder / "b.yaml").write_text(text, encoding="utf-8")
    code, message = ended("a.yaml", "b.yaml")
    assert (code, "each goes on from the one before" in message) == (2, True)


def test_a_task_of_texts_cannot_be_gained(folder, capsys):
    texts = "suite: a\ntask: {format: text, answer: likelihood}\ngates: [{over: all, max_rise: 0.1}]\nprobes:\n  - {id: x, text: some text}\n"
    (folder / "a_task.yaml").write_text(texts, encoding="utf-8")
    assert main(["sequence", "a.yaml", "b.yaml"]) == 4
    assert "cannot be a target" in capsys.readouterr().err


def test_a_task_that_runs_code_needs_consent(folder, capsys):
    text = suite_text("a", 3).replace("score: equals", "score: {python: {tests: [assert f() == 1]}}")
    (folder / "a_task.yaml").write_text(text.replace(", answer: right", ""), encoding="utf-8")
    assert main(["sequence", "a.yaml", "b.yaml"]) == 4
    assert "allow it: --allow-code" in capsys.readouterr().err
    assert len(read_schedule(options(allow_code=True)).tasks) == 3
