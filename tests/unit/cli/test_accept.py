"""`accept`: one loss of a record by its own name, written where it is reviewed."""

from __future__ import annotations

import json

import pytest
import yaml

from harness.cli.main import main
from harness.reporting.record import write_record
from harness.reporting.rows import SuiteRow
from harness.shipped import SUITES
from harness.suites.acceptance import FILE
from tests.support.records import probe, record

KEY = "0f" * 32


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a suite and the record of its run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "facts.yaml").write_text("suite: facts\n")
    probes = [
        probe(f"{change}-{n}", change, asked=KEY) for change in ("lost", "kept", "missed") for n in range(2)
    ]
    write_record(record(probes=probes), tmp_path)
    return tmp_path


def run(capsys, *arguments):
    code = main(["accept", ".", *arguments])
    return code, *capsys.readouterr()


def test_the_file(here, capsys):
    code, out, _ = run(
        capsys, "facts::lost-1", "--because", 'a "new"\ntokenizer', "--by", "Ana", "--until", "2999-12-31"
    )
    assert code == 0
    assert out == (
        "accepted.yaml: the loss of facts::lost-1 is accepted until 2999-12-31, for the baseline base\n"
        "commit the file, so that it is reviewed; to decide the record again:\n  python -m harness rescore .\n"
    )
    lines = (here / FILE).read_text().splitlines()
    del lines[5]  # the day
    assert lines == [
        "# Known losses that no longer fail the gate, each of one probe. `python -m harness accept` adds to it; review it like code.",
        "accepted:",
        '  - probe: "facts::lost-1"',
        '    because: "a \\"new\\"\\\\ntokenizer"',
        '    by: "Ana"',
        '    until: "2999-12-31"',
        "    baseline:",
        '      name: "base"',
        f'      weights: "{"ab" * 32}"',
        f'    asked: "{KEY}"',
    ]


def test_an_older_entry_that_gives_way_is_said(here, capsys):
    run(capsys, "facts::lost-1", "--because", "new form", "--by", "Ana", "--until", "2999-12-31")
    code, out, _ = run(capsys, "facts::lost-1", "--because", "for good", "--by", "Ben")
    assert code == 0
    (entry,) = yaml.safe_load((here / FILE).read_text())["accepted"]
    assert out.splitlines()[:2] == [
        "accepted.yaml: the loss of facts::lost-1 is accepted, for the baseline base",
        f'  in place of what Ana accepted on {entry["date"]} until 2999-12-31: "new form"',
    ]


def test_what_its_author_wrote_stays_and_an_older_entry_is_replaced(here, capsys):
    for name, why in (("lost-0", "one"), ("lost-1", "two")):
        assert run(capsys, f"facts::{name}", "--because", why, "--by", "Ana")[0] == 0
    path = here / FILE
    path.write_text(path.read_text().replace("accepted:\n", "accepted:  \n  # of the spring release\n"))
    path.write_text(path.read_text().replace("accepted:  \n", "accepted:\n"))
    assert run(capsys, "facts.yaml::probe[lost-0]", "--because", "three", "--by", "Ben")[0] == 0
    text = path.read_text()
    assert "# of the spring release" in text
    assert [line.strip() for line in text.splitlines() if "because" in line] == [
        'because: "two"',
        'because: "three"',
    ]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("facts", "'facts': names no probe\n  write SUITE::PROBE; name each probe by itself; nothing is accepted by pattern"),
        ("facts::*", "'facts::*': the record has no probe '*' of that suite\n"
                     "  name each probe by itself; nothing is accepted by pattern"),
        ("facts::lots-1", "'facts::lots-1': the record has no probe 'lots-1' of that suite\n  did you mean 'lost-1'?"),
        ("facts::x", "'facts::x': the record has no probe 'x' of that suite\n  it lost 2 probes: lost-0, lost-1"),
        ("fatcs::lost-1", "'fatcs::lost-1': the record has no suite 'fatcs'\n  did you mean 'facts'?"),
        ("facts::kept-0", "'facts::kept-0': both models are right, so there is no loss to accept\n"
                          "  it lost 2 probes: lost-0, lost-1"),
        ("facts::missed-0", "'facts::missed-0': the baseline was wrong too, so there is no loss to accept\n"
                            "  it lost 2 probes: lost-0, lost-1"),
    ],
)  # fmt: skip
def test_what_was_not_lost_is_refused(here, capsys, name, error):
    assert run(capsys, "facts::lost-0", name, "--because", "x", "--by", "Ana") == (4, "", f"{error}\n")
    assert not (here / FILE).exists()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--because", " "], "--because: is empty"),
        (["--because", "x", "--by", ""], "--by: is empty"),
        (["--because", "x", "--by", "A", "--until", "2020-01-01"], "--until=2020-01-01 is over already"),
    ],
)
def test_what_says_nothing_is_refused(here, capsys, arguments, error):
    code, _, said = run(capsys, "facts::lost-0", *arguments)
    assert (code, said.startswith(error)) == (4, True)


def test_nobody_is_named(here, capsys, monkeypatch):
    monkeypatch.setattr("harness.cli.accept._git_config", lambda key: "")
    code, _, said = run(capsys, "facts::lost-0", "--because", "x")
    assert (code, said.splitlines()[0]) == (4, "nobody is named who accepts the loss")


def test_gits_user_is_named(here, capsys, monkeypatch):
    for name, value in {"NAME": "user.name", "NAME2": "user.email"}.items():
        number = len(name) - 4
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", value)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", ["Ana", "a@b.c"][number])
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    assert run(capsys, "facts::lost-0", "--because", "x")[0] == 0
    assert 'by: "Ana <a@b.c>"' in (here / FILE).read_text()


def test_a_suite_that_is_not_there(here, capsys):
    (here / "facts.yaml").unlink()
    code, _, said = run(capsys, "facts::lost-0", "--because", "x", "--by", "A")
    assert (code, said.splitlines()[0]) == (4, "facts.yaml: the suite is not there")
    (here / "sub").mkdir()
    (here / "sub/facts.yaml").write_text("suite: facts\n")
    assert run(capsys, "facts::lost-0", "--because", "x", "--by", "A", "--file", "sub/accepted.yaml")[0] == 0


@pytest.mark.parametrize("file", ["x.yaml", "sub/accepted.yaml", "gone/accepted.yaml"])
def test_a_file_that_no_run_reads_is_refused(here, capsys, file):
    (here / "sub").mkdir()
    code, out, said = run(capsys, "facts::lost-0", "--because", "x", "--by", "A", "--file", file)
    assert (code, out) == (4, "")
    assert said.startswith(f"{file}: no run would read there what was accepted of the suite 'facts'\n")
    assert not (here / file).exists()


@pytest.mark.parametrize("folder", ["/opt/python/site-packages/harness/shipped/suites", str(SUITES)])
def test_of_a_suite_that_ships_the_working_folder_keeps_it(here, capsys, folder):
    """Wherever the run had its packages."""
    lost = record(probes=[probe("lost-0", suite="general-qa", asked=KEY)])
    row = SuiteRow(path=f"{folder}/general_qa.yaml", sha256=None, probes=1, content="")
    run_row = lost.run.model_copy(update={"suites": {"general-qa": row}})
    write_record(lost.model_copy(update={"run": run_row}), here)
    assert run(capsys, "general-qa::lost-0", "--because", "x", "--by", "A")[0] == 0
    assert 'probe: "general-qa::lost-0"' in (here / FILE).read_text()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("accepted: [{probe: a}]\n", "accepted.yaml:1:"),
        ("accepted: {}\n", "accepted.yaml:1:11: 'accepted' must be a list, saw an empty mapping"),
        ("- a\n", "accepted.yaml:1:1: accepted losses are a list under the key 'accepted', saw a list"),
        ("accepted: [", "accepted.yaml:2:1: not YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_as_it_is(here, capsys, text, error):
    (here / FILE).write_text(text)
    code, _, said = run(capsys, "facts::lost-0", "--because", "x", "--by", "A")
    assert (code, said.startswith(error)) == (2, True), said
    assert (here / FILE).read_text() == text


def test_a_form_without_a_place_to_add_to_is_said(here, capsys):
    assert run(capsys, "facts::lost-0", "--because", "x", "--by", "A")[0] == 0
    (here / FILE).write_text(json.dumps(yaml.safe_load((here / FILE).read_text())))
    code, _, said = run(capsys, "facts::lost-1", "--because", "x", "--by", "A")
    assert (code, said.splitlines()[0]) == (2, "accepted.yaml: its form leaves no place to add an entry")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("before", ["accepted: []  # none yet\n", "# ours\naccepted:\n", "accepted: [ ]"])
def test_an_empty_list_takes_a_first_entry(here, capsys, before, end):
    (here / FILE).write_bytes(before.replace("\n", end).encode())
    assert run(capsys, "facts::lost-0", "--because", "one", "--by", "Ana")[0] == 0
    text = (here / FILE).read_bytes().decode()
    assert text.startswith(before.strip().replace("\n", end).replace(" []", "").replace(" [ ]", ""))
    if end in before.replace("\n", end):
        assert text.count("\n") == text.count(end)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_keeps_its_place_and_its_ends_of_lines(here, capsys, end):
    for name in ("lost-0", "lost-1"):
        assert run(capsys, f"facts::{name}", "--because", "one", "--by", "Ana")[0] == 0
    lines = (here / FILE).read_text().splitlines()
    (here / FILE).write_bytes(end.join([*(line.removeprefix("  ") for line in lines), ""]).encode())
    assert run(capsys, "facts::lost-0", "--because", "two", "--by", "Ana")[0] == 0
    text = (here / FILE).read_bytes().decode()
    assert text.count("\n") == text.count(end)
    assert [line for line in text.split(end) if line.startswith("-")] == [
        '- probe: "facts::lost-1"',
        '- probe: "facts::lost-0"',
    ]


def test_the_command_to_run_next_is_quoted(here, capsys):
    (here / "rep 1").mkdir()
    (here / "record.json").rename(here / "rep 1/record.json")
    assert main(["accept", "rep 1", "facts::lost-0", "--because", "one", "--by", "Ana"]) == 0
    assert capsys.readouterr().out.endswith("\n  python -m harness rescore 'rep 1'\n")
