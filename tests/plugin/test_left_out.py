"""Files that nearly are suites: refused by a model's run and where they are named, said under another name, never passed over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.suites.detect import has_ending
from tests.support.project import SMALL, not_green, said

from .test_sniff import FOREIGN

SLIP = SMALL.replace("gates", "gatse").replace("probes", "prboes")
HEADLESS = "severity: high\nprobes: [{id: a, question: Why?, answer: yes}]\n"


def indented(text: str, indent: str) -> str:
    return re.sub(r"^(?=.)", indent, text, flags=re.MULTILINE)


class Kind(NamedTuple):
    """A file, why a run over its folder did not read it, and what is wrong with it where it is named."""

    text: str | bytes
    reason: str
    refusal: str
    name: str = "x.yaml"


IS_A_LIST = "it is a list, and a suite is a mapping"
NO_MAPPING = "{0}:1:1: a suite is a mapping of keys to values, saw "
EMPTY = "{0}:1:1: the file is empty: it has no suite"
ENDS = "a suite's name ends in .yaml or .yml"
CALLED = "{0}:1:1: a suite's name ends in .yaml or .yml\n  rename the file"

NEARLY = {
    "misspelt probes": Kind(
        "suite: s\nscore: mentions\nprboes: [{id: a, question: Why?, answer: yes}]\n",
        "its key 'prboes' may be 'probes'",
        "{0}:3:1: unknown key 'prboes' in a suite\n  did you mean 'probes'?",
    ),
    "misspelt gates and probes": Kind(
        SLIP, "its key 'gatse' may be 'gates' and its key 'prboes' may be 'probes'",
        "{0}:3:1: unknown key 'gatse' in a suite\n  did you mean 'gates'?\n"
        "{0}:4:1: unknown key 'prboes' in a suite\n  did you mean 'probes'?",
    ),
    "no suite and no gates": Kind(
        HEADLESS, "it has no 'suite' and no 'gates'",
        "{0}:1:1: a suite needs 'suite'",
    ),
    "a list": Kind(
        "- " + indented(SMALL, "  ")[2:], IS_A_LIST, NO_MAPPING + "a list\n  begin with 'suite: name'"
    ),
    "a list of keys": Kind("- gates: 1\n- probes: 2\n", IS_A_LIST, NO_MAPPING + "a list"),
    "a list in braces": Kind("- {suite: s, gates: [], probes: []}\n", IS_A_LIST, NO_MAPPING + "a list"),
    "tabs": Kind(
        indented(SMALL, "\t"), "its keys are indented with tabs",
        "{0}:1:1: not YAML: a tab where YAML allows only spaces; so in ",
    ),
    "the first key alone at the left": Kind(
        indented(SMALL, "  ").lstrip(), "its keys are nested under 'suite'",
        "{0}:2:3: not YAML: ",
    ),
    "under another key": Kind(
        "mine:\n" + indented(SMALL, "  "), "its keys are nested under 'mine'", "{0}:1:1: unknown key 'mine' in a suite"
    ),
    "UTF-16 and misspelt": Kind(
        SLIP.encode("utf-16-le"), "its key 'gatse' may be 'gates' and its key 'prboes' may be 'probes'",
        "{0}:1:1: not UTF-8 text: it is UTF-16\n  save the file as UTF-8",
    ),
    "cut off in a key": Kind(
        "suite: s\nabout: x\nscor", "it has no 'gates' and no 'probes'",
        "{0}:3:1: not YAML: this line is neither 'key: value' nor an item of a list",
    ),
    "cut off after a line": Kind("suite: s\n", "it has 'suite' and nothing else", "{0}:1:1: a suite needs 'gates'"),
    "empty": Kind("", "it is empty", EMPTY),
    "blanks": Kind(b"\xef\xbb\xbf \r\n", "it is empty", EMPTY),
    "x.yml.txt": Kind(SMALL, ENDS, CALLED, "x.yml.txt"),
    "x.yaml.bak": Kind(SMALL, ENDS, CALLED, "x.yaml.bak"),
    "x.yaml~": Kind(SMALL, ENDS, CALLED, "x.yaml~"),
    "x.ymal": Kind(SMALL, ENDS, CALLED, "x.ymal"),
    "misspelt under another name": Kind(SLIP, ENDS, CALLED, "x.yaml.orig"),
}  # fmt: skip
"""Refused by a run of a model over their folder, or only said there if they are named otherwise than a suite."""

SAID = {name: kind for name, kind in NEARLY.items() if not has_ending(Path(kind.name))}

READ = ""
"""No reason to leave it out: it is a suite beyond doubt, so that a run over its folder is refused too."""

BROKEN = {
    "the first key indented": Kind(
        "  " + SMALL, READ,
        "{0}:1:3: not YAML: 'suite' is indented deeper than its neighbour",
    ),
    "UTF-16": Kind(
        SMALL.encode("utf-16"), READ, "{0}:1:1: not UTF-8 text: it is UTF-16\n  save the file as UTF-8"
    ),
    "UTF-16 without a mark": Kind(SMALL.encode("utf-16-be"), READ, "{0}:1:1: not UTF-8 text: it is UTF-16"),
    "UTF-32": Kind(SMALL.encode("utf-32"), READ, "{0}:1:1: not UTF-8 text: it is UTF-32"),
    "cut off in braces": Kind(
        "suite: s\ngates: [{over: al", READ,
        "{0}:2:9: not YAML: '{{' opens here and is never closed",
    ),
    "cut off in quotes": Kind(
        "suite: s\nprobes:\n  - {id: a, question: 'Wh", READ,
        "{0}:3:23: not YAML: the quote ' that opens here is never closed",
    ),
}  # fmt: skip


@pytest.fixture
def gated(project):
    """A project with a sound suite in `suites`, and models that retain it."""
    project.capability("[{over: all, max_drop: 0.10}]", (60, 0, 0, 0), file="suites/good.yaml")
    return project


def notes(project):
    return [note for note in project.record()["run"]["notes"] if "was not read" in note]


# In a folder


@pytest.mark.parametrize("kind", SAID)
def test_in_a_folder_it_is_said_under_another_name(gated, kind):
    text, reason, _, name = SAID[kind]
    gated.write(f"suites/{name}", text)
    result = gated.run("suites", *gated.folders())
    assert result.ret == 0
    note = f"suites/{name} looks like a suite and was not read: {reason}"
    assert said(result).count(f"note: {note}\n") == 1
    assert notes(gated) == [note]


@pytest.mark.parametrize("kind", [kind for kind in NEARLY if kind not in SAID])
def test_in_a_folder_it_is_refused(gated, kind):
    text, _, refusal, name = NEARLY[kind]
    gated.write(f"suites/{name}", text)
    result = gated.run("suites", *gated.folders())
    assert result.ret == 2
    shown = not_green(result)
    assert refusal.format(f"suites/{name}") in shown
    assert f"  if it is not for this run, leave it out: --ignore=suites/{name}" in shown
    assert gated.asked("tuned") == []
    assert gated.record()["run"]["status"] == "error"
    assert gated.run("suites", f"--ignore=suites/{name}", *gated.folders()).ret == 0


@pytest.mark.parametrize("arguments", [[], ["."], ["suites", "suites/good.yaml"]])
def test_in_whichever_way_its_folder_is_asked(gated, arguments):
    gated.write("suites/deeper/x.yaml~", SMALL)
    assert gated.run(*arguments, *gated.folders()).ret == 0
    assert len(notes(gated)) == 1
    gated.write("suites/deeper/x.yaml", SLIP)
    assert gated.run(*arguments, *gated.folders()).ret == 2


def test_beside_the_folder_that_was_asked_nothing_is_said(gated):
    """pytest looks into the folders above what it is given too."""
    for name in ("x.yaml", "suites/x.yaml", "other/x.yaml", "suites/x.yaml~"):
        gated.write(name, SLIP)
    for asked in ("suites/good.yaml", "suites/good.yaml::all"):
        assert gated.run(asked, *gated.folders()).ret == 0
        assert notes(gated) == []
    errors = re.findall("ERROR collecting (\\S+)", said(gated.run("suites", *gated.folders())))
    assert errors == ["suites/x.yaml"]
    assert [note.partition(" ")[0] for note in notes(gated)] == ["suites/x.yaml~"]


def test_it_is_said_where_no_case_was_collected(project):
    project.write("suites/x.yaml~", SLIP)
    result = project.run("suites", *project.folders())
    assert result.ret == 5
    assert "note: suites/x.yaml~ looks like a suite and was not read: " in said(result)
    assert len(notes(project)) == 1


def test_it_is_said_where_a_suite_beside_it_is_refused(gated):
    gated.write("suites/bad.yaml", SMALL.replace("over", "ovr"))
    gated.write("suites/x.yaml~", SLIP)
    result = gated.run("suites", *gated.folders())
    assert result.ret == 2
    assert "note: suites/x.yaml~ looks like a suite and was not read: " in said(result)


def test_workers_say_it_once(gated):
    pytest.importorskip("xdist")
    gated.write("suites/x.yaml~", SLIP)
    assert gated.run("suites", *gated.folders(), "-p", "xdist", "-n", "2").ret == 0
    assert len(notes(gated)) == 1


def test_workers_say_it_where_no_case_was_collected(project):
    pytest.importorskip("xdist")
    project.write("suites/x.yaml~", SLIP)
    result = project.run("suites", *project.folders(), "-p", "xdist", "-n", "2")
    assert result.ret == 5
    assert len(notes(project)) == 1


@pytest.mark.parametrize("kind", NEARLY)
def test_without_a_model_a_folder_s_run_says_nothing(project, kind):
    text, _, _, name = NEARLY[kind]
    project.write(f"tests/{name}", text)
    project.write("tests/test_mine.py", "def test_mine(): pass\n")
    result = project.run("tests")
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert name not in said(result)


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("with_a_model", [False, True])
def test_a_suite_beyond_doubt_is_refused_in_its_folder(gated, kind, with_a_model):
    text, _, refusal, name = BROKEN[kind]
    gated.write(f"suites/{name}", text)
    result = gated.run("suites", *(gated.folders() if with_a_model else ()))
    assert result.ret == 2
    assert refusal.format(f"suites/{name}") in not_green(result)
    assert gated.asked("tuned") == []


# Named by itself


@pytest.mark.parametrize("kind", [*NEARLY, *BROKEN])
@pytest.mark.parametrize("with_a_model", [False, True])
def test_named_it_is_refused(project, kind, with_a_model):
    text, _, refusal, name = {**NEARLY, **BROKEN}[kind]
    project.write(name, text)
    result = project.run(name, *(project.folders() if with_a_model else ()))
    assert result.ret == 2
    shown = not_green(result)
    assert f"ERROR collecting {name}" in shown
    assert refusal.format(name) in shown
    assert "not found" not in shown


@pytest.mark.parametrize("kind", ["misspelt gates and probes", "x.yml.txt"])
@pytest.mark.parametrize("beside", ["suites/good.yaml", "suites", "."])
def test_named_beside_what_can_be_read_it_is_refused(gated, kind, beside):
    text, _, refusal, name = NEARLY[kind]
    gated.write(f"suites/{name}", text)
    for arguments in [(f"suites/{name}", beside), (beside, f"suites/{name}")]:
        result = gated.run(*arguments, *gated.folders())
        assert result.ret == 2
        assert refusal.format(f"suites/{name}") in not_green(result)
    assert gated.asked("tuned") == []


def test_named_with_a_part_of_it(project):
    project.write("x.yaml", SLIP)
    result = project.run("x.yaml::all")
    assert result.ret != 0
    assert "x.yaml:3:1: unknown key 'gatse' in a suite" in not_green(result)


def test_in_a_process_of_its_own(project):
    project.write("x.yml.txt", SMALL)
    result = project.run_alone("x.yml.txt")
    assert result.ret == 2
    assert CALLED.format("x.yml.txt") in not_green(result)


# Files that cannot be read


@pytest.fixture
def unreadable(gated):
    """A file that is there, and gives an input/output error when it is read."""
    memory = Path("/proc/self/mem")
    if not memory.exists():
        pytest.skip("no file here that cannot be read")
    (gated.path / "suites/x.yaml").symlink_to(memory)
    return gated


REASON = "looks like a suite and was not read: it cannot be read"


@pytest.mark.parametrize(
    ("asked", "with_a_model"), [("suites", True), ("suites/x.yaml", True), ("suites/x.yaml", False)]
)
def test_a_file_that_cannot_be_read_is_refused(unreadable, asked, with_a_model):
    result = unreadable.run(asked, *(unreadable.folders() if with_a_model else ()))
    assert result.ret == 2
    assert "suites/x.yaml: cannot be read: Input/output error\n  it is a link to /proc/self/mem" in not_green(
        result
    )


def test_a_file_that_cannot_be_read_does_not_stop_a_run_without_a_model(unreadable):
    result = unreadable.run("suites")
    assert result.ret == 0
    assert "x.yaml" not in said(result)


def test_a_file_that_may_not_be_read(gated):
    path = gated.write("suites/x.yaml", SMALL)
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        assert gated.run("suites", *gated.folders()).ret == 2
        assert gated.run("suites/x.yaml").ret == 2
    else:
        pytest.skip("this user may read all files")


@pytest.mark.parametrize(
    ("target", "reason"),
    [("gone.yaml", "No such file or directory"), ("x.yaml", "Too many levels of symbolic links")],
)
def test_a_link_that_leads_nowhere_is_refused(gated, target, reason):
    """pytest passes it over without a word to any plugin."""
    (gated.path / "suites/x.yaml").symlink_to(target)
    (gated.path / "suites/x.txt").symlink_to("gone.txt")
    result = gated.run("suites", *gated.folders())
    assert result.ret == 2
    assert f"suites/x.yaml: {REASON} ({reason})" in not_green(result)
    assert gated.run("suites").ret == 0


# Folders that pytest does not enter


@pytest.mark.parametrize("name", ["node_modules/a/x.yaml", ".github/x.yaml"])
def test_what_nearly_is_a_suite_is_nobody_s_where_pytest_does_not_enter(gated, name):
    for text in ("", SLIP):
        gated.write(name, text)
        assert gated.run(*gated.folders()).ret == 0


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "CACHEDIR.TAG", "conda-meta/history"])
def test_suites_in_a_cache_or_a_virtual_environment_are_none_of_the_project(gated, mark):
    """Such as those that `--lm-eval` keeps in pytest's cache."""
    gated.write("build/x.yaml", SMALL)
    assert gated.run(*gated.folders()).ret == 2
    gated.write(f"build/{mark}", "")
    assert gated.run(*gated.folders()).ret == 0


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize("folder", ["build", ".hidden", "build/deeper"])
def test_a_suite_in_a_folder_that_pytest_does_not_enter_is_refused(gated, folder, workers):
    gated.write(f"suites/{folder}/x.yaml", SMALL)
    result = gated.run("suites", *gated.folders(), *workers)
    assert result.ret == 2
    name = folder.partition("/")[0]
    assert (
        f"suites/{folder}/x.yaml: looks like a suite and was not read: pytest does not enter '{name}' (norecursedirs)\n"
        "  to gate it, rename that folder, or set norecursedirs\n"
        f"  if it is not for this run, leave it out: --ignore=suites/{name}\n"
    ) in not_green(result)
    assert gated.record()["run"]["status"] == "error"


@pytest.fixture
def named(gated):
    """A function that runs the gate over paths, and returns the result."""
    return lambda *paths: gated.run(*paths, *gated.folders())


@pytest.mark.parametrize(
    "folder", ["build/lib/mine", "dist/mine-1.0", ".tox/pkg", "venv/x", "node_modules/m", "m.egg"]
)
@pytest.mark.parametrize("asked", [[], ["."]], ids=["nothing", "the folder"])
def test_a_copy_that_a_tool_made_is_nobody_s(gated, named, folder, asked):
    text = (gated.path / "suites/good.yaml").read_text()
    gated.write(f"{folder}/suites/good.yaml", text)
    assert named(*asked).ret == 0
    assert notes(gated) == []
    gated.write(f"{folder}/suites/good.yaml", text.replace("suite: general", "suite: 'general'  # old"))
    assert named(*asked).ret == 0
    assert notes(gated) == [
        f"{folder}/suites/good.yaml was not read: it has the same suite as suites/good.yaml, but differs"
    ]


@pytest.mark.parametrize("arguments", [["build", "suites"], [".", "-o", "norecursedirs="]])
def test_a_copy_that_is_given_too_is_a_second_suite(gated, named, arguments):
    gated.write("build/good.yaml", (gated.path / "suites/good.yaml").read_text())
    result = named(*arguments)
    assert result.ret == 4
    text = not_green(result)
    assert "a second suite called 'general'\n  the first is at " in text
    assert "build/good.yaml:1:1" in text
    assert "suites/good.yaml:1:1" in text


def test_a_copy_of_what_is_not_in_the_run_is_refused(gated, named):
    gated.write("suites/small.yaml", SMALL)
    gated.write("other/build/small.yaml", SMALL)
    result = named("suites/good.yaml", "other")
    assert result.ret == 2
    assert "other/build/small.yaml: looks like a suite and was not read" in not_green(result)


@pytest.mark.parametrize(
    "arguments",
    [
        ["suites", "--ignore=suites/build"],
        ["suites", "--ignore-glob=suites/bu*"],
        ["suites/build", "suites/good.yaml"],
        ["suites", "-o", "norecursedirs="],
        ["suites/good.yaml"],
    ],
)
def test_it_is_not_where_it_is_left_out_or_read(gated, arguments):
    gated.write("suites/build/x.yaml", SMALL)
    gated.models({"Why?": "yes"}, {"Why?": "yes"})
    assert gated.run(*arguments, *gated.folders()).ret == 0
    assert gated.record()["run"]["errors"] == []


def test_a_folder_that_a_conftest_ignores_is_no_error(gated):
    gated.write("suites/drafts/x.yaml", SMALL)
    gated.write("suites/conftest.py", 'collect_ignore = ["drafts"]\n')
    assert gated.run("suites", *gated.folders()).ret == 0


def test_without_a_model_no_folder_is_looked_into(gated):
    gated.write("suites/build/x.yaml", SMALL)
    assert gated.run("suites").ret == 0


def test_a_suite_behind_two_links_is_gated_once(gated):
    gated.write("other/x.yaml", SMALL)
    for link, target in {"one": "../other", "two": "../other", "loop": "."}.items():
        (gated.path / "suites" / link).symlink_to(target)
    gated.models({"Why?": "yes"}, {"Why?": "yes"})
    assert gated.run("suites", *gated.folders()).ret == 0
    assert set(gated.record()["run"]["suites"]) == {"general", "small"}


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize(
    "asked",
    [
        ("linked", "suites/good.yaml"),
        ("suites", "linked/good.yaml::all"),
        ("linked/good.yaml", "suites/good.yaml"),
    ],
)
def test_a_suite_that_is_named_behind_a_link_too_is_refused(gated, named, asked, workers):
    """One of the two may be a part of it, and pytest shows its neighbours to plugins too."""
    gated.write("suites/small.yaml", SMALL)
    gated.models({"Why?": "yes"}, {"Why?": "yes"})  # workers of xdist run what could be collected
    (gated.path / "linked").symlink_to("suites")
    result = named(*asked, *workers)
    assert result.ret == 2
    text = not_green(result)
    assert re.search(
        r"(suites|linked)/good.yaml: is the same file as (suites|linked)/good.yaml, which is in the run too\n"
        "  name one of the two\n", text
    )  # fmt: skip
    assert "small.yaml: looks like" not in text


def test_neighbours_of_a_named_suite_are_read_behind_a_link(gated, named):
    gated.write("suites/small.yaml", SMALL)
    gated.models({"Why?": "yes"}, {"Why?": "yes"})
    (gated.path / "linked").mkdir()
    (gated.path / "linked/small.yaml").symlink_to("../suites/small.yaml")
    assert named("linked", "suites/good.yaml").ret == 0
    assert set(gated.record()["run"]["suites"]) == {"general", "small"}


# Other people's files


@pytest.mark.parametrize("name", FOREIGN)
def test_other_yaml_stops_no_run_without_a_model_and_is_not_said_with_one(gated, name):
    gated.write(f"suites/{name}", FOREIGN[name])
    assert gated.run("suites").ret == 0
    assert gated.run("suites", *gated.folders()).ret == 0
    assert notes(gated) == []


def test_other_yaml_with_keys_of_a_suite_stops_no_run_without_a_model(project):
    project.write("alerts/blackbox.yaml", "severity: page\nprobes:\n  - target: https://example.org\n")
    project.write("test_mine.py", "def test_mine(): pass\n")
    result = project.run_alone()
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert "blackbox" not in said(result)


TAVERN = """
import pytest

class YamlFile(pytest.File):
    def collect(self):
        yield YamlItem.from_parent(self, name="stage")

class YamlItem(pytest.Item):
    def runtest(self):
        pass

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".yaml":
        return YamlFile.from_parent(parent, path=file_path)
"""


@pytest.mark.parametrize(
    "text", [SLIP, HEADLESS, "test_name: t\nstages: []\n", "- suite: s\n  gates: []\n", ""]
)
@pytest.mark.parametrize("with_a_model", [False, True])
@pytest.mark.parametrize("asked", ["tests", "tests/x.yaml"])
def test_what_another_plugin_collects_is_its_own(project, text, with_a_model, asked):
    project.write("conftest.py", TAVERN)
    project.write("tests/x.yaml", text)
    result = project.run("-v", asked, *(project.folders() if with_a_model else ()))
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["tests/x.yaml::stage PASSED*"])
    assert "looks like a suite" not in said(result)


def test_a_suite_is_collected_although_another_plugin_collects_it_too(project):
    project.write("conftest.py", TAVERN)
    project.write("x.yaml", SMALL)
    lines = project.run("--collect-only", "-q", "x.yaml").outlines
    assert [line for line in lines if "::" in line] == ["x.yaml::stage", "x.yaml::probe[a]"]


def test_a_text_file_s_doctests_are_pytest_s_own(project):
    project.write("notes.yaml.txt", ">>> 1 + 1\n2\n")
    result = project.run("notes.yaml.txt")
    result.assert_outcomes(passed=1)
    assert result.ret == 0
