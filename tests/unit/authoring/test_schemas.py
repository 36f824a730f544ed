"""`python -m harness schema`: what docs/ holds is what the code says."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft7Validator

from harness.authoring.schemas import SCHEMAS, schema_file, schema_text
from harness.cli.main import main
from harness.documents.document import read_document


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_shipped_schema_is_current(root, kind):
    """If this fails: python -m harness schema --write."""
    assert schema_file(kind, root / "docs").read_text(encoding="utf-8") == schema_text(kind)


def test_it_is_printed(capsys):
    assert main(["schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["title"] == "A suite of the forgetting gate, format 1"
    assert main(["schema", "recipe"]) == 0
    assert "learning_rate" in json.loads(capsys.readouterr().out)["properties"]


def test_it_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    assert main(["schema", "--write"]) == 0
    assert (
        capsys.readouterr().out
        == "docs/suite.schema.json\ndocs/recipe.schema.json\ndocs/accepted.schema.json\n"
    )
    assert (tmp_path / "docs" / "suite.schema.json").read_text(encoding="utf-8") == schema_text("suite")


def test_there_is_nowhere_to_write_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["schema", "--write"]) == 4
    assert capsys.readouterr().err == (
        "there is no folder docs/ here\n"
        "  redirect the schema to a file instead: python -m harness schema > suite.schema.json\n"
    )


def test_every_shipped_recipe_fits(root):
    schema = Draft7Validator(SCHEMAS["recipe"]())
    found = [read_document(path).value for path in sorted((root / "fixtures").rglob("*.y*ml"))]
    recipes = [value for value in found if "recipe" in value]
    assert len(recipes) >= 2
    assert [error.message for recipe in recipes for error in schema.iter_errors(recipe)] == []
