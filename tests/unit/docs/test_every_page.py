"""All pages: their links lead somewhere, their commands exist, and their numbers agree."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from harness.authoring.starter import start
from harness.plugin.option_list import OPTIONS
from tests.ci.examples import examples
from tools.docs.lists import command_helps

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
OPTION_NAMES = {name for option in OPTIONS for name in option.names}
OF_PYTEST = {"--strict", "--junit-xml", "--collect-only", "--help"}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page):
    prose = re.sub(r"```.*?```|`[^`]*`", "", text_of(page), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"https?:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or target.suffix != ".md" or anchor in anchors(target), link


def test_the_index_names_every_page():
    index = text_of(ROOT / "docs" / "README.md")
    others = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert others <= set(re.findall(r"\((\w+\.md)", index))


def lines_of_code(page: Path) -> list[str]:
    """Lines that a reader may copy into a shell."""
    found = re.findall(
        r"^ {4,}(?:- run: |- |\$ )?((?:pytest|python -m harness) [^|\n]*?)(?:  +#.*)?$",
        text_of(page),
        re.MULTILINE,
    )
    return [line for line in found if "COMMAND" not in line]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_and_option_exists(page):
    for line in lines_of_code(page):
        words = shlex.split(line, comments=True)
        if words[0] == "python" and words[3:]:
            assert words[3] in {*command_helps(), "--help"}, line
        if words[0] == "pytest":
            options = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert options <= OPTION_NAMES | OF_PYTEST, line


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_model_is_named_in_one_word(page):
    """Of `--model ./tuned`, pytest takes ./tuned for a path of tests until the plugin is loaded."""
    assert [line for line in lines_of_code(page) if re.match(r"pytest .*--(model|baseline) ", line)] == []


def test_there_are_commands_to_try():
    assert sum(len(lines_of_code(page)) for page in PAGES) > 30


@pytest.mark.parametrize("what", ["demo", "test"])
def test_one_time_for_each_command(what):
    found = {
        minutes
        for page in PAGES
        for line in text_of(page).splitlines()
        if re.search(rf"\bmake {what}\b", line)
        for minutes in re.findall(r"under (\d+) minutes", line)
    }
    assert len(found) == 1


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "calibration.md"], ids=named)
def test_the_size_of_what_ships_is_generated(page):
    own = re.sub(r"<!-- generated: .*?<!-- end generated -->", "", text_of(page), flags=re.DOTALL)
    assert re.findall(r"suites (?:with|have) [\w ]*\d[\d,]* probes|\d,\d{3} probes of", own) == []


# docs/ci.md


@pytest.fixture
def jobs():
    found = {file: yaml.safe_load(text) for file, text in examples().items()}
    return found[".github/workflows/by_hand.yml"], found[".gitlab-ci.yml"]


def test_both_jobs_run_the_same_commands(jobs):
    github, gitlab = jobs
    steps = github["jobs"]["gate"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == gitlab["forgetting"]["script"]


def test_both_jobs_keep_the_record_whatever_comes_of_the_run(jobs):
    github, gitlab = jobs
    (kept,) = [step for step in github["jobs"]["gate"]["steps"] if "upload-artifact" in step.get("uses", "")]
    assert kept["if"] == "always()"
    assert kept["with"]["path"] == "reports/"
    assert gitlab["forgetting"]["artifacts"] == {
        "when": "always", "expose_as": "forgetting gate", "paths": ["reports/"], "reports": {"junit": "reports/gate.xml"},
    }  # fmt: skip


def test_the_inputs_of_the_action_are_on_the_page():
    action = yaml.safe_load(text_of(ROOT / "action.yml"))
    rows = re.findall(
        r"^\| `([\w-]+)` \|[^|]*\| (?:`(.*)` )?[^|]*\|$", text_of(ROOT / "docs" / "ci.md"), re.MULTILINE
    )
    shown = {name: default for name, default in rows if name in action["inputs"]}
    assert set(shown) == set(action["inputs"])
    assert {name: default for name, default in shown.items() if default} == {
        name: given["default"] for name, given in action["inputs"].items() if shown[name]
    }


def test_the_page_begins_like_init(tmp_path):
    """What `init` writes is what the page shows, but for the suites."""
    shown = {file: yaml.safe_load(text) for file, text in examples().items()}
    begun = {
        file.relative_to(tmp_path).as_posix(): text
        for file, text in start(tmp_path, "./tuned", None).files.items()
    }
    assert yaml.safe_load(begun[".pre-commit-config.yaml"]) == shown[".pre-commit-config.yaml"]
    theirs, ours = (
        yaml.safe_load(text)
        for text in (
            begun[".github/workflows/forgetting.yml"],
            examples()[".github/workflows/forgetting.yml"],
        )
    )
    assert {key: theirs[key] for key in ("name", True, "permissions")} == {
        key: ours[key] for key in ("name", True, "permissions")
    }
    assert [step.get("uses") for step in theirs["jobs"]["gate"]["steps"]] == [
        step["uses"] for step in ours["jobs"]["gate"]["steps"] if "uses" in step
    ]


def test_the_caches_are_those_of_the_gate(jobs):
    from harness.models.cache import VARIABLE

    github, gitlab = jobs
    restored, saved = (
        step for step in github["jobs"]["gate"]["steps"] if "actions/cache" in step.get("uses", "")
    )
    assert {"~/.cache/forgetting-gate", "reports/history.db"} <= set(restored["with"]["path"].split())
    assert (saved["if"], saved["with"]["path"]) == ("always()", restored["with"]["path"])
    assert gitlab["forgetting"]["variables"][VARIABLE].endswith(".cache/forgetting-gate")
    assert gitlab["forgetting"]["cache"]["paths"] == [".cache/"]
