"""A diagnosis of models in this process: every way can be asked, and a second one loads no model."""

from __future__ import annotations

import json
import re

import pytest

from harness.cli.main import main
from harness.engine.requests import Chat, Generate, Message
from tests.support.engines import load_reference
from tests.support.gating import QUESTIONS


@pytest.fixture
def written(base, tmp_path):
    """A suite of which the base's own answers are right: the last letters of each."""
    requests = [Generate(Chat((Message("user", text),)), 12) for text in QUESTIONS]
    answers = [answer.text for answer in load_reference(str(base)).ask(requests)]
    found = {text: re.findall(r"[A-Za-z]{2,}", said) for text, said in zip(QUESTIONS, answers, strict=True)}
    keys = {text: letters[-1] for text, letters in found.items() if letters}
    assert len(set(keys.values())) > 3
    probes = [{"id": text, "question": text, "answer": key} for text, key in keys.items()]
    suite = {
        "suite": "letters", "task": {"max_new_tokens": 12}, "score": "contains", "gates": [{"over": "all", "max_drop": 0.1}],
        "probes": probes,
    }  # fmt: skip
    path = tmp_path / "letters.yaml"
    path.write_text(json.dumps(suite))
    return path


def test_every_way_is_asked_once(adapter, written, tmp_path, capsys):
    arguments = ["--model", str(adapter), "--suite", str(written), "--store", str(tmp_path / "a.db")]
    assert main(["diagnose", *arguments, "--report", str(tmp_path / "first")]) == 0
    assert "loading" in capsys.readouterr().err
    found = json.loads((tmp_path / "first/diagnosis.json").read_text())["suites"]["letters"]
    assert {way["way"] for way in found["ways"]} >= {"restated", "begun", "choices"}, found["notes"]
    assert found["lost"] == found["diagnosed"] > 0
    assert main(["diagnose", *arguments, "--report", str(tmp_path / "second")]) == 0
    assert "loading" not in capsys.readouterr().err
    again = json.loads((tmp_path / "second/diagnosis.json").read_text())["suites"]
    assert again["letters"] == found
