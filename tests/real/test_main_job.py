"""`pytest SUITE --model REF`, as a user types it, on the real model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

NO_NETWORK = ("-p", "tests.real.no_sockets", "-p", "no:rerunfailures")
"""pytest-rerunfailures listens to its workers through a socket, workers or not."""


def gate(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict]:
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--report", str(folder), *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    record = folder / "record.json"
    return finished, json.loads(record.read_text()) if record.is_file() else {}


def test_an_adapter_folder_that_forgot_fails_and_its_base_is_found(adapter, tmp_path):
    finished, record = gate(tmp_path, "suites/general_qa.yaml::category[geography]", "--model", str(adapter))
    assert finished.returncode == 1, finished.stdout
    [row] = record["gates"]
    assert row["slice"] == "category[geography]"
    assert row["outcome"] == "failed"
    assert row["lost"] > row["gained"]
    assert record["run"]["baseline"]["name"] == "SmolLM2-135M-Instruct"
    assert record["run"]["tuned"]["weights"] != record["run"]["baseline"]["weights"]
    assert "general-qa · geography: " in finished.stdout
    assert 'tuned "DRUG-INFO' in finished.stdout


def test_a_fixture_file_is_trained_once_and_gated(recipe_file, adapter, tmp_path):
    finished, record = gate(
        tmp_path, "suites/checklist.yaml::probe[json-object]", "--model", str(recipe_file)
    )
    assert "trained before, kept in" in finished.stdout
    assert finished.returncode == 1
    [probe] = record["probes"]
    assert probe["change"] == "lost"
    assert probe["baseline"]["right"] is True
    assert '"name"' in probe["baseline"]["answer"]


def test_the_baseline_against_itself_passes(tmp_path):
    finished, record = gate(
        tmp_path, "suites/general_qa.yaml::category[math]", "--model", "embedded", "--baseline", "same"
    )
    assert finished.returncode == 0, finished.stdout
    [row] = record["gates"]
    assert (row["lost"], row["gained"], row["verdict"]) == (0, 0, "RETAINED")


@pytest.mark.parametrize("broken", ["pickled", "other base"])
def test_a_broken_model_is_one_message_and_exit_4(adapter, tmp_path, broken):
    folder = tmp_path / "broken"
    folder.mkdir()
    if broken == "pickled":
        (folder / "config.json").write_text("{}")
        (folder / "pytorch_model.bin").write_bytes(b"")
    else:
        config = json.loads((adapter / "adapter_config.json").read_text())
        config["target_modules"] = ["query_key_value"]
        (folder / "adapter_config.json").write_text(json.dumps(config))
        (folder / "adapter_model.safetensors").write_bytes(
            (adapter / "adapter_model.safetensors").read_bytes()
        )
    finished, record = gate(tmp_path / "report", "suites/checklist.yaml", "--model", str(folder))
    assert finished.returncode == 4, finished.stdout
    assert "Traceback" not in finished.stdout + finished.stderr
    assert "passed" not in finished.stdout
    assert not record.get("gates")


def test_the_main_job_opens_no_socket(adapter, tmp_path, monkeypatch):
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    finished, record = gate(
        tmp_path,
        *NO_NETWORK,
        "suites/checklist.yaml::probe[json-object]",
        "--model",
        str(adapter),
    )
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert "without a network" not in finished.stdout + finished.stderr
    assert [row["outcome"] for row in record["gates"]] == ["failed"]


def test_that_proof_would_notice_a_socket(tmp_path):
    test = tmp_path / "test_call.py"
    test.write_text("import urllib.request\n\ndef test(): urllib.request.urlopen('http://localhost:1')\n")
    finished, _ = gate(tmp_path / "report", *NO_NETWORK, str(test), "--rootdir", str(tmp_path))
    assert finished.returncode == 1
    assert "this test runs without a network" in finished.stdout
