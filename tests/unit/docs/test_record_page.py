"""docs/record.md: a line for each key of a record, and examples that run as printed."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from harness.reporting.record import write_record
from harness.reporting.rows import Record
from tools.docs.record_tables import PARTS, keys


@pytest.mark.parametrize("part", PARTS)
def test_every_key_has_a_line(part):
    table = keys(part)
    for name, field in PARTS[part].model_fields.items():
        [line] = [line for line in table.splitlines() if line.startswith(f"| `{name}` |")]
        meaning = line.split(" | ")[-1].rstrip(" |")
        assert meaning.endswith((".", "`.")), line
        assert ("null" in line.split(" | ")[1]) == ("NoneType" in str(field)), line


def test_every_part_of_a_record_has_a_table():
    found = {name for part in PARTS.values() for name in part.model_json_schema().get("$defs", {})}
    assert found < {part.__name__ for part in PARTS.values()}


def blocks(root, language):
    return re.findall(
        rf"```{language}\n(.*?)```", (root / "docs/record.md").read_text(encoding="utf-8"), re.DOTALL
    )


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """A folder with the record of a run, and an earlier one."""
    monkeypatch.chdir(tmp_path)
    answer = {"answer": "x", "right": True}
    run = {
        "harness": "1", "started": "2026-05-04T09:30:00+00:00", "status": "forgotten", "exit_status": 1, "seconds": 1.0,
        "command": [], "errors": [], "versions": {}, "strict": False, "fail_on": "low",
    }  # fmt: skip
    gate = {
        "suite": "qa", "slice": "all", "over": "all", "severity": "high", "place": "", "n": 10, "lost": 1, "gained": 0,
        "drop": 0.1, "tuned_accuracy": 0.5, "verdict": "FORGOTTEN", "outcome": "failed",
    }  # fmt: skip
    probe = {
        "suite": "qa", "id": "p", "category": None, "severity": "high", "fields": {}, "expected": ["x"],
        "score": "mentions", "baseline": answer, "tuned": {**answer, "answer": "y", "right": False}, "change": "lost",
    }  # fmt: skip
    folder = tmp_path / "reports/latest"
    for day in ("03", "04"):
        run["started"] = f"2026-05-{day}T09:30:00+00:00"
        path = write_record(Record.model_validate({"run": run, "gates": [gate], "probes": [probe]}), folder)
        if day == "03":
            (folder / "earlier").mkdir()
            path.rename(folder / "earlier/2026-05-03T09-30-00+00-00.json")
    return folder


def test_the_examples_run_as_printed(root, reports, capsys):
    pytest.importorskip("pandas")
    names: dict[str, object] = {}
    for block in blocks(root, "python"):
        exec(compile(block, "record.md", "exec"), names)
    said = capsys.readouterr().out
    assert "FORGOTTEN" in said
    assert "2026-05-03T09:30:00+00:00" in said
    assert "2026-05-04T09:30:00+00:00" in said


@pytest.mark.skipif(not shutil.which("xargs"), reason="no xargs here")
def test_older_records_are_removed_as_printed(root, reports):
    page = (root / "docs/record.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^    (ls -t .*)$", page, re.MULTILINE)
    for n in range(40):
        (reports / f"earlier/2026-05-02T{n}.json").write_text("{}")
    subprocess.run(command, shell=True, check=True)
    assert len(list((reports / "earlier").iterdir())) == 30
