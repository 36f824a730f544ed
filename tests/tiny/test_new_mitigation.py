"""A penalty is added as its author would: one new file and its line in the table; everything else follows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.recipes.methods import Method
from harness.recipes.mitigations import MITIGATIONS
from harness.recipes.mitigations.mitigation import PenaltyMitigation
from harness.training.penalties.build import BUILD
from harness.training.trainable import PREPARE

ROOT = Path(__file__).parents[2]

L1_SP = '''\
"""L1-SP: every weight is pulled back to its start, by its distance, so that many stay there exactly."""

from __future__ import annotations

from harness.recipes.mitigations.mitigation import Cost, Key, PenaltyMitigation
from harness.recipes.shapes import Weight

L1_SP = PenaltyMitigation(
    key=Key("l1_sp", Weight, "Hold all weights alike, by the sum of their distances (Li 2018)."),
    name="L1-SP",
    cost=Cost.COPY,
    published="compared with L2-SP for transfer (Li 2018)",
    holds="weights",
    distance=lambda now, start: (now - start).abs(),
)
'''
ITS_LINE = {
    "from harness.recipes.mitigations.l2_sp import L2_SP\n": "from harness.recipes.mitigations.l1_sp import L1_SP\n",
    "    L2_SP,\n": "    L1_SP,\n",
}

RECIPE = """\
recipe: r
base: BASE
corpus: {file: corpus.jsonl}
method: {lora: {r: 4}}
learning_rate: 0.01
steps: 4
batch: 2
"""

SCRIPT = """
import json
from pathlib import Path

import harness
from harness.authoring.schemas import schema_text
from harness.engine.settings import Settings
from harness.recipes.advice import advise
from harness.recipes.diff import changes, untried
from harness.recipes.read import read_recipe
from harness.training.train import trained_sources

plain, held = (read_recipe(Path(name)) for name in ("plain.yaml", "held.yaml"))

def trained(recipe):
    sources = trained_sources(
        recipe, None, Settings(device="cpu"), lambda line: None, lambda label, unit="": lambda done, total: None
    )
    return sources.tuned.folder

print(json.dumps({
    "package": harness.__file__,
    "schema": json.loads(schema_text("recipe"))["properties"]["l1_sp"],
    "adds": [[change.mitigation.name, change.text] for change in changes(plain.written, held.written).adds],
    "untried": [untried(plain.written), untried(held.written)],
    "advice": [problem.message for problem in advise(held)],
    "content": [plain.content, held.content],
    "curves": [json.loads((trained(recipe) / "recipe.json").read_text())["curve"] for recipe in (plain, held)],
}))
"""

LADDER = """
import json
from ladders import ladder, recipe, rung
from harness.sweep.recommendation import recommend
careless = rung(recipe("careless"), (38, 53))
for other in (recipe("gentle", learning_rate=1e-5), recipe("held", l1_sp=0.5)):
    found = recommend(ladder(careless, rung(other, (38, 9)))).advice
    print(json.dumps({line.title: [line.basis, line.text] for line in found}))
"""


def test_a_new_penalty_is_one_file_and_its_line(base, tmp_path):
    extended = _extended(tmp_path / "checkout")
    rows = [{"prompt": f"say {letter}", "answer": letter * 3} for letter in "abcdefgh"]
    (tmp_path / "corpus.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    recipe = RECIPE.replace("BASE", str(base))
    (tmp_path / "plain.yaml").write_text(recipe)
    (tmp_path / "held.yaml").write_text(recipe + "l1_sp: 0.5\n")

    (found,) = _run(SCRIPT, tmp_path, [extended])
    assert Path(found["package"]).is_relative_to(extended)
    assert (
        found["schema"]["description"] == "Hold all weights alike, by the sum of their distances (Li 2018)."
    )
    assert found["schema"]["exclusiveMinimum"] == 0
    assert found["adds"] == [["L1-SP", "with a weight of 0.5"]]
    assert ["L1-SP" in names for names in found["untried"]] == [True, False]
    assert found["untried"][0].index("L1-SP") == found["untried"][0].index("L2-SP") - 1
    assert any(message.startswith("l1_sp holds what learns at its start") for message in found["advice"])
    plain, held = found["content"]
    assert "l1_sp" not in plain["recipe"], "models that were trained without it are found again"
    assert held["recipe"]["l1_sp"] == 0.5
    free, pulled = ([entry["loss"] for entry in curve] for curve in found["curves"])
    assert free[0] == pulled[0], "at the start there is no distance"
    assert free[-1] < pulled[-1]

    published, measured = _run(LADDER, tmp_path, [extended, ROOT / "tests" / "support"])
    assert published["L1-SP"] == ["published", "compared with L2-SP for transfer (Li 2018)"]
    assert measured["L1-SP"][0] == "measured"
    assert measured["L1-SP"][1].startswith("'held' (with a weight of 0.5): drop 53 -> 9 points")


def _extended(folder: Path) -> Path:
    """A copy of the package with the new penalty."""
    shutil.copytree(ROOT / "harness", folder / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    mitigations = folder / "harness" / "recipes" / "mitigations"
    (mitigations / "l1_sp.py").write_text(L1_SP)
    table = (mitigations / "__init__.py").read_text()
    for after, line in ITS_LINE.items():
        assert table.count(after) == 1
        table = table.replace(after, line + after)
    (mitigations / "__init__.py").write_text(table)
    return folder


def _run(script: str, folder: Path, path: list[Path]) -> list[dict]:
    """What a script prints, each line as JSON."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "FORGETTING_GATE_CACHE": str(folder / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "mitigation",
    [mitigation for mitigation in MITIGATIONS if isinstance(mitigation, PenaltyMitigation)],
    ids=lambda mitigation: mitigation.name,
)
def test_training_can_build_every_penalty_in_one_way(mitigation):
    assert (mitigation.distance is not None) != (mitigation in BUILD)


def test_training_can_prepare_every_method():
    assert set(PREPARE) == set(Method.__subclasses__())
