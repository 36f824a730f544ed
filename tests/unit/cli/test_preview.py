"""`python -m harness preview`: what is asked, by slice; and, of an engine, the prompt, the answer and the score."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.cli.main import main
from harness.engine.requests import Chat, ChoiceLogProbs, Generate, Generated, LogLikelihood, MultipleChoice

FACTS = """\
suite: facts
score: mentions
task: {system: Be brief., shots: [{question: "1 + 1?", answer: "2"}], stop: ["\\n\\n"], max_new_tokens: 8}
gates: [{over: each}]
probes:
  - {id: france, category: geography, question: "Capital of France?", answer: Paris}
  - {id: hamlet, category: books, question: "Who wrote Hamlet?", answer: Shakespeare}
  - {id: japan, category: geography, question: "Capital of Japan?", answer: [Tokyo, Edo]}
  - {id: lines, category: books, question: "One\\ntwo \\x1b[2J?", answer: x}
"""
CHOOSE = """\
suite: choices
task: {format: text, prompt: "Q: {question}\\nA:", answer: choose}
gates: [{over: each}]
probes: [{id: a, question: Which?, choices: [cork, iron], answer: cork}]
"""
TEXTS = """\
suite: texts
task: {format: text, answer: likelihood}
gates: [{over: each}]
probes: [{id: a, text: "A few words."}]
"""


class FakeEngine:
    """Says "Paris" to everything, in a template of its own."""

    label = "fake"
    kinds = frozenset({"generate", "choose", "likelihood"})

    def ask(self, requests, progress=None):
        return [
            Generated("It is\nParis.\x1b[2J", 3) if isinstance(request, Generate)
            else ChoiceLogProbs((-1.25, -3.5)) if isinstance(request, MultipleChoice)
            else LogLikelihood(-20.0, 4)
            for request in requests
        ]  # fmt: skip

    def tokens(self, prompt, choosing=False):
        return list(range(7))

    def reading(self, prompt, choosing=False):
        if isinstance(prompt, Chat):
            return "".join(f"<|{turn.role}|>{turn.content}\n" for turn in prompt.messages) + "<|assistant|>"
        return f"<s>{prompt.text}"


@pytest.fixture
def preview(tmp_path, monkeypatch, capsys):
    """Run the command; gives its exit code, its output and its errors."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"facts": FACTS, "choices": CHOOSE, "texts": TEXTS}.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr("harness.training.references.find_model", lambda *how: None)
    monkeypatch.setattr("harness.store.opening.open_engine", lambda *how: FakeEngine())

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["preview", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_what_is_asked_as_chat(preview):
    assert preview("facts.yaml::probe[japan]") == (
        0,
        "facts: 1 probe\n"
        "\n"
        "probe[japan]  geography  facts.yaml:8:5\n"
        "  right (mentions)\n"
        "    Tokyo or Edo\n"
        "  system\n"
        "    Be brief.\n"
        "  user\n"
        "    1 + 1?\n"
        "  assistant\n"
        "    2\n"
        "  user\n"
        "    Capital of Japan?\n"
        "  answered in at most 8 tokens, or up to '\\n\\n'\n",
        "",
    )


def test_what_is_asked_as_text_and_the_choices(preview):
    assert preview("choices.yaml")[1] == (
        "choices: 1 probe\n"
        "\n"
        "probe[a]  choices.yaml:4:10\n"
        "  right (choice)\n"
        "    cork\n"
        "  prompt\n"
        "    Q: Which?\n"
        "    A:\n"
        "  choices, each scored after the prompt\n"
        "    ' cork'\n"
        "    ' iron'\n"
    )


def test_a_text_to_measure(preview):
    assert preview("texts.yaml")[1] == (
        "texts: 1 probe\n\nprobe[a]  texts.yaml:4:10\n  text\n    A few words.\n"
    )


def test_the_first_few(preview):
    code, out, _ = preview("facts.yaml", "--limit", "2")
    assert code == 0
    assert out.startswith("facts: 4 probes, the first 2\n\nprobe[france]")
    assert out.count("probe[") == 2
    assert preview("facts.yaml")[1].count("probe[") == 3


def test_a_category(preview):
    _, out, _ = preview("facts.yaml::category[books]")
    assert out.startswith("facts: 2 probes\n\nprobe[hamlet]")
    assert preview("facts.yaml::all", "--limit", "9")[1].count("probe[") == 4


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("facts.yaml::probe[jpan]", "facts.yaml: there is no slice 'probe[jpan]'\n  did you mean 'japan'?\n"),
        (
            "facts.yaml::category[zzz]",
            "facts.yaml: there is no slice 'category[zzz]'\n  there are: geography, books\n",
        ),
        (
            "facts.yaml::japan",
            "facts.yaml: there is no slice 'japan'\n  a slice is all, category[NAME] or probe[ID]\n",
        ),
    ],
)
def test_a_slice_that_is_not_there(preview, reference, message):
    assert preview(reference) == (4, "", message)


def test_a_suite_that_cannot_be_read(preview, tmp_path):
    (tmp_path / "facts.yaml").write_text(FACTS.replace("over", "ovr"), encoding="utf-8")
    code, out, err = preview("facts.yaml")
    assert (code, out) == (2, "")
    assert "facts.yaml:4:10: unknown key 'ovr' in a gate" in err


def test_nothing_that_a_terminal_obeys(preview):
    _, out, _ = preview("facts.yaml::probe[lines]")
    assert "    One\n    two \\u001b[2J?\n" in out


def test_a_model_is_asked(preview):
    assert preview("facts.yaml", "--model", "x", "--limit", "2") == (
        0,
        "facts: 4 probes, the first 2\n"
        "\n"
        "probe[france]  geography  facts.yaml:6:5\n"
        "  right (mentions)\n"
        "    Paris\n"
        "  prompt (7 tokens)\n"
        "    <|system|>Be brief.\n"
        "    <|user|>1 + 1?\n"
        "    <|assistant|>2\n"
        "    <|user|>Capital of France?\n"
        "    <|assistant|>\n"
        "  answered in at most 8 tokens, or up to '\\n\\n'\n"
        "  answer (3 tokens): right\n"
        "    It is\n"
        "    Paris.\\u001b[2J\n"
        "\n"
        "probe[hamlet]  books  facts.yaml:7:5\n"
        "  right (mentions)\n"
        "    Shakespeare\n"
        "  prompt (7 tokens)\n"
        "    <|system|>Be brief.\n"
        "    <|user|>1 + 1?\n"
        "    <|assistant|>2\n"
        "    <|user|>Who wrote Hamlet?\n"
        "    <|assistant|>\n"
        "  answered in at most 8 tokens, or up to '\\n\\n'\n"
        "  answer (3 tokens): wrong\n"
        "    It is\n"
        "    Paris.\\u001b[2J\n"
        "\n"
        "fake: 1 of 2 right\n",
        "",
    )


def test_why_a_wrong_answer_is_wrong(preview, tmp_path):
    (tmp_path / "form.yaml").write_text(
        "suite: form\nscore: {check: {min_words: 5}}\ngates: [{over: each}]\n"
        "probes: [{id: a, question: Why?}, {id: b, question: How?, score: {check: {max_words: 3}}}]\n",
        encoding="utf-8",
    )
    _, shown, _ = preview("form.yaml", "--model", "fake")
    assert "  why: min_words: 5: has 3\n" in shown
    assert shown.count("why: ") == 1


def test_a_model_chooses(preview):
    assert preview("choices.yaml", "--model", "x")[1].endswith(
        "  log-probabilities\n        -1.25  cork\n        -3.50  iron\n  answer: right\n    cork\n\nfake: 1 of 1 right\n"
    )


def test_a_model_is_measured(preview):
    assert preview("texts.yaml", "--model", "x")[1].endswith(
        "  measured (4 tokens)\n    2.404 bits per byte\n\nfake: a likelihood is judged only against a baseline's\n"
    )


def test_without_a_model_no_torch_is_loaded(tmp_path, root):
    (tmp_path / "facts.yaml").write_text(FACTS, encoding="utf-8")
    code = (
        f"import sys; from harness.cli.main import main; code = main(['preview', {str(tmp_path / 'facts.yaml')!r}]);"
        "sys.exit(code or 9 * bool({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, cwd=root)
    assert done.returncode == 0


class TestBattery:
    """What `--battery` shows: no model is needed."""

    def test_a_probe_with_every_reply_misjudged_ones_first(self, preview, tmp_path):
        (tmp_path / "w.yaml").write_text(
            "suite: w\nscore: {check: {min_words: 3, mentions: rain}}\ngates: [{over: each}]\n"
            "probes: [{id: a, question: Explain an umbrella.}]\n",
            encoding="utf-8",
        )
        code, out, _ = preview("w.yaml", "--battery")
        assert code == 0
        lines = out.splitlines()
        assert lines[:5] == [
            "w: 1 probe",
            "",
            "probe  reply     judged  expected  text",
            'a      shuffled  right   wrong     "Umbrella rain explain."',
            'a      one_word  right   wrong     "rain rain rain rain rain rain rain rain"',
        ]
        assert 'a      echo      wrong   wrong     "Explain an umbrella."' in lines
        assert lines[-2:] == ["2 of 7 wrong replies judged right", "0 of 0 right replies judged wrong"]

    def test_few_probes_with_what_is_misjudged(self, preview):
        _, out, _ = preview("facts.yaml::category[geography]", "--battery")
        lines = out.splitlines()
        assert lines[0] == "facts: 2 probes"
        assert lines[-1].endswith("right replies judged wrong")
        assert " echo " not in out

    def test_many_probes_by_kind(self, preview, tmp_path):
        probes = "".join(f'  - {{id: p{n}, question: "Word {n}?", answer: x{n}x}}\n' for n in range(31))
        (tmp_path / "many.yaml").write_text(
            f"suite: many\nscore: equals\ngates: [{{over: each}}]\nprobes:\n{probes}"
            "lint_ignore: {after_opening: one word is asked for}\n",
            encoding="utf-8",
        )
        _, out, _ = preview("many.yaml", "--battery")
        lines = out.splitlines()
        assert lines[2].split() == ["reply", "expected", "misjudged", "of", "such", "as"]
        assert lines[3].split()[:4] == ["in_sentence", "right", "31", "31"]
        assert any(
            line.startswith("echo") and line.split()[:4] == ["echo", "wrong", "0", "31"] for line in lines
        )
        known = next(line for line in lines if line.startswith("after_opening"))
        assert known.endswith("0  31  31 known: one word is asked for")

    @pytest.mark.parametrize("name", ["choices", "texts"])
    def test_only_of_probes_that_are_answered_in_words(self, preview, name):
        code, out, _ = preview(f"{name}.yaml", "--battery")
        assert code == 0
        assert out.splitlines()[1].endswith("has no replies to judge")

    def test_it_takes_no_model(self, preview, capsys):
        with pytest.raises(SystemExit):
            preview("facts.yaml", "--battery", "--model", "embedded")
        assert "not allowed with argument" in capsys.readouterr().err
