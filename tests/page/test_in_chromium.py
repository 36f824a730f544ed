"""Our pages in headless Chromium: no network, nothing for axe-core to find, a phone, a keyboard, and no script at all.

`make test-page` installs what it needs from npm; Chromium is a package of Debian.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.blame.page import blame_page
from harness.blame.plot import layers_plot
from harness.diagnosis.page import page as diagnosis_page
from harness.diagnosis.record import DiagnosisRecord
from harness.reporting.diagnosis_rows import DiagnosisRow
from harness.reporting.figures import svg
from harness.reporting.formats import render
from harness.sequence.page import sequence_page
from harness.sequence.plot import heat_map
from harness.sweep.page import sweep_page
from harness.sweep.pareto_plot import pareto
from tests.support.blamed import blame_record
from tests.support.ladders import shipped
from tests.support.records import DIAGNOSIS, GATES, PROBES, answer, hostile, probe, record
from tests.support.sequences import ROWS, ran, write_tasks

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = (
    "there is no Chromium: apt-get install chromium" if CHROMIUM is None
    else "there is no Node.js" if shutil.which("node") is None
    else "its packages are not installed: make test-page" if not (HERE / "node_modules").is_dir()
    else ""
)  # fmt: skip
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

ATTACK = (
    "</script></noscript><script>alert(1)</script><img src=x onerror=alert(1)><a href=//evil.test>\u202e\x00"
)


def visited(page: str, folder: Path) -> dict:
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    done = subprocess.run(
        ["node", str(HERE / "visit.mjs"), str(path), str(CHROMIUM)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A page with 150 more lost probes of another suite, one of which says "needle"."""
    many = [probe(f"more-{place}", suite="more", category=None) for place in range(150)]
    many[140]["tuned"] = answer("There is a needle in it.", False)
    return visited(render(record(GATES, [*PROBES, *many]), "html"), tmp_path_factory.mktemp("page"))


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing_and_nothing_asks_for_a_network(seen, look):
    assert seen["looks"][look]["faults"] == []
    assert seen["looks"][look]["complaints"] == []
    assert seen["looks"][look]["overflow"] <= 0


def test_it_is_dark_where_the_reader_wants_that(seen):
    assert seen["looks"]["light"]["background"] == "rgb(255, 255, 255)"
    assert seen["looks"]["dark"]["background"] != "rgb(255, 255, 255)"


def test_the_filters_by_keyboard(seen):
    by_keyboard = seen["keyboard"]
    assert (by_keyboard["first"], by_keyboard["shown"]) == ("153 of 157 probes, the first 100 shown", 100)
    assert by_keyboard["reached"] == [True] * 4
    assert by_keyboard["none"] == "0 of 157 probes"
    assert by_keyboard["suite"] == ["facts", "2 of 157 probes"]
    assert by_keyboard["found"] == "1 of 157 probes"
    assert by_keyboard["opened"] == 2
    assert by_keyboard["complaints"] == []


def test_a_hundred_at_a_time(seen):
    assert seen["more"] == {"before": 100, "after": 153, "status": "153 of 157 probes", "focused": True}


def test_a_category_of_the_chart_leads_to_its_probes(seen):
    assert seen["link"] == {
        "category": "history", "status": "2 of 157 probes", "none": "0 of 157 probes", "all": "5 of 157 probes",
    }  # fmt: skip


def test_without_a_script_everything_is_there(seen):
    assert seen["withoutScript"] == {
        "filters": False,
        "waiting": False,
        "shown": 0,
        "opened": 150,
        "answers": 2,
    }


def test_a_hostile_record_is_only_text(tmp_path):
    found = visited(render(hostile(ATTACK), "html"), tmp_path)
    for look in found["looks"].values():
        assert look["complaints"] == []
        assert look["faults"] == []
        assert look["overflow"] <= 0


def of_a_ladder() -> str:
    ladder = shipped()
    return sweep_page(ladder, svg(pareto(ladder)))


def of_a_diagnosis() -> str:
    record = DiagnosisRecord(
        harness="0.1.0",
        started="2026-05-04T09:30:00+00:00",
        command=["diagnose", ATTACK],
        models=ATTACK,
        suites={ATTACK: DiagnosisRow.model_validate(DIAGNOSIS)},
        notes=[ATTACK],
    )
    return diagnosis_page(record)


def of_a_blame() -> str:
    found = blame_record()
    return blame_page(found, svg(layers_plot(found)))


def of_a_sequence() -> str:
    write_tasks(Path())
    _, found = ran(ROWS, suites=["kept.yaml"])
    return sequence_page(found, svg(heat_map(found)))


@pytest.mark.parametrize("page", [of_a_ladder, of_a_diagnosis, of_a_blame, of_a_sequence])
def test_the_other_pages(tmp_path, monkeypatch, page):
    monkeypatch.chdir(tmp_path)
    for look in visited(page(), tmp_path)["looks"].values():
        assert look["complaints"] == []
        assert look["faults"] == []
        assert look["overflow"] <= 0
