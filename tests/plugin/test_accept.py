"""Known losses that were accepted: they count as kept in their own gates alone, are told in every report, and expire."""

from __future__ import annotations

import pytest

from harness.cli.main import main
from harness.scoring import load_scorers
from harness.shipped import suite_files
from harness.suites import accepted
from harness.suites.read import read_suite
from tests.support.project import RIGHT, WRONG, said

LOST = [f"general::lost-{number}" for number in range(10)]
TURNED = "Passed only because 10 known losses are accepted: 1 gate would have failed"


@pytest.fixture
def red(project, monkeypatch):
    """A project whose gate just failed, with its ten lost probes."""
    monkeypatch.chdir(project.path)
    project.capability("[{over: all, max_drop: 0.1}]", (20, 10, 0, 0))
    assert project.run("general.yaml").ret == 1
    return project


def accept(*arguments: str) -> int:
    return main(["accept", "reports/latest", *arguments, "--by", "Ana"])


def accept_all(*more: str) -> None:
    assert accept(*LOST, "--because", "the new tokenizer", *more) == 0


def change(project, before: str, after: str) -> None:
    path = project.path / "accepted.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def gate(project) -> dict:
    return project.record()["gates"][0]


@pytest.mark.parametrize("arguments", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_a_known_loss_no_longer_fails_and_every_number_stays(red, arguments):
    before = gate(red)
    accept_all()
    result = red.run("general.yaml", *arguments)
    assert result.ret == 0
    text = said(result)
    assert TURNED in text
    assert "general: passed only because 10 known losses are accepted" in text
    assert "general::lost-3: accepted by Ana: the new tokenizer" in text
    after = gate(red)
    assert after == {**before, "outcome": "passed", "accepted": 10, "without_accepted": "failed"}
    record = red.record()
    assert [row["accepted"] for row in record["probes"]] == [
        row["change"] == "lost" for row in record["probes"]
    ]
    assert {row["standing"] for row in record["run"]["accepted"]["general"]} == {"in force"}


def test_the_file_is_read_and_written_once_whatever_is_accepted(red, monkeypatch):
    accept_all()
    read, files = accepted.read_document, []
    monkeypatch.setattr(accepted, "read_document", lambda path: files.append(path.name) or read(path))
    accept_all()
    assert files.count("accepted.yaml") == 1


def test_nothing_is_accepted_on_demand(red):
    accept_all()
    result = red.run("general.yaml", "--no-accepted")
    assert result.ret == 1
    assert "known loss" not in said(result)
    assert red.record()["run"]["accepted"] == {}


def test_no_more_than_what_was_accepted_is_hidden(red):
    assert accept(*LOST[:2], "--because", "known") == 0
    result = red.run("general.yaml")
    assert result.ret == 1
    text = said(result)
    assert "2 known losses are accepted, and it fails without them too" in text
    assert (gate(red)["accepted"], gate(red)["without_accepted"]) == (2, None)


def test_other_suites_fail_as_before(red):
    red.capability("[{over: each}]", (2, 2, 0, 0), name="list")
    assert red.run("list.yaml").ret == 1
    assert accept("list::lost-0", "--because", "known") == 0
    assert red.run("list.yaml").ret == 1
    assert red.outcomes()["list probe[lost-0]"] == ("FORGOTTEN", "passed")
    assert red.outcomes()["list probe[lost-1]"] == ("FORGOTTEN", "failed")


def expired(project):
    change(project, 'until: "2999-01-01"', 'until: "2020-01-01"')
    return "the loss of general::lost-0 was accepted until 2020-01-01, so it counts again"


def other_baseline(project):
    change(project, 'name: "baseline"', 'name: "another"')
    return "the loss of general::lost-0 was accepted for the baseline another, and this one is baseline, so it counts"


def other_weights(project):
    change(project, 'name: "baseline"', f'name: "baseline"\n      weights: "{"ab" * 32}"')
    return "was accepted for the baseline baseline (abababababab), and this one is baseline, so it counts"


def asked_otherwise(project):
    suite = project.path / "general.yaml"
    suite.write_text(suite.read_text().replace("lost-", "Lost-").replace("id: Lost-", "id: lost-"))
    project.models(
        {f"general Lost-{number}?": RIGHT for number in range(10)},
        {f"general Lost-{number}?": WRONG for number in range(10)},
    )
    return "general::lost-0 is asked otherwise than when its loss was accepted, so it counts"


def no_such_probe(project):
    change(project, "general::lost-", "general::last-")
    return "general::last-0 was accepted, and the suite has no such probe"


@pytest.mark.parametrize("spoil", [expired, other_baseline, other_weights, asked_otherwise, no_such_probe])
def test_what_does_not_count_is_said(red, spoil):
    accept_all("--until", "2999-01-01")
    sentence = spoil(red)
    result = red.run("general.yaml")
    assert result.ret == 1
    assert sentence in said(result).replace("\n", " ")
    assert "Passed" not in said(result)


def test_of_many_that_do_not_count_some_are_said(project, monkeypatch):
    monkeypatch.chdir(project.path)
    project.capability("[{over: all, max_drop: 0.1}]", (20, 30, 0, 0))
    project.run("general.yaml")
    probes = [f"general::lost-{number}" for number in range(30)]
    assert accept(*probes, "--because", "known", "--until", "2999-01-01") == 0
    expired(project)
    text = said(project.run("general.yaml"))
    assert text.count("so it counts again") == 10
    assert (
        "and 20 more entries of accepted.yaml that do not count or are not needed; record.json has all"
        in text
    )


def test_what_is_not_lost_any_more_is_said(red):
    accept_all()
    red.models({}, {f"general lost-{number}?": RIGHT for number in range(10)})
    result = red.run("general.yaml")
    assert result.ret == 0
    assert "accepted.yaml:3: general::lost-0 was not lost, so its entry can be removed" in said(result)
    assert gate(red)["without_accepted"] is None


def test_a_baseline_that_knows_nothing_stays_red(red):
    accept_all()
    red.models({f"general kept-{number}?": WRONG for number in range(20)}, {})
    red.models({f"general lost-{number}?": WRONG for number in range(10)}, {})
    result = red.run("general.yaml")
    assert result.ret == 1
    assert "VACUOUS" in said(result)


def test_a_malformed_file_is_told_once_with_its_place(red):
    red.capability("[{over: each}]", (2, 0, 0, 0), name="other")
    red.write("accepted.yaml", "accepted:\n  - probe: general::lost-0\n    becuase: x\n")
    result = red.run("general.yaml", "other.yaml")
    assert result.ret == 2
    assert said(result).count("accepted.yaml:3:5: unknown key 'becuase' in an accepted loss") == 1
    assert "did you mean 'because'?" in said(result)


def test_what_is_accepted_of_a_suite_that_ships_is_read_where_the_gate_runs(red):
    [id, *_] = read_suite(suite_files()["checklist"], load_scorers()).probes
    accept_all()
    change(red, "general::lost-0", f"checklist::{id.id}")
    red.models({"*": RIGHT}, {"*": RIGHT})
    red.run("--suite=checklist", "-k", id.id)
    assert [row["probe"] for row in red.record()["run"]["accepted"]["checklist"]] == [id.id]


def test_an_entry_that_no_run_reads_is_said(red):
    accept_all()
    (red.path / "suites").mkdir()
    (red.path / "general.yaml").rename(red.path / "suites/general.yaml")
    result = red.run("suites")
    assert result.ret == 1
    text = said(result).replace("\n", " ")
    assert "accepted.yaml:3:5: no suite 'general' is beside this file, so nothing is accepted" in text
    assert "no suite" not in said(red.run("suites", "--no-accepted"))


def test_junit_has_them(red):
    accept_all()
    assert red.run("general.yaml", "--junitxml=out.xml").ret == 0
    text = (red.path / "out.xml").read_text()
    assert 'name="gate_accepted" value="general::lost-0: the new tokenizer;' in text
    assert 'name="gate_passed_only_because_accepted" value="general::all"' in text


def test_rescoring_accepts_and_unaccepts(red, capsys):
    accept_all()
    capsys.readouterr()
    assert main(["rescore", "reports/latest"]) == 0
    assert TURNED in capsys.readouterr().out
    assert main(["rescore", "reports/latest", "--no-accepted"]) == 1
    assert red.run("general.yaml").ret == 0
    (red.path / "general.yaml").unlink()  # elsewhere, what the record has of it counts
    assert main(["rescore", "reports/latest"]) == 0
    assert main(["rescore", "reports/latest", "--no-accepted"]) == 1


def test_a_sequential_run_goes_on_over_accepted_losses(project, monkeypatch):
    monkeypatch.chdir(project.path)
    project.capability("[{over: all, max_drop: 0.1}]", (160, 40, 0, 0))
    assert project.run("general.yaml").ret == 1
    assert (
        main(
            [
                "accept",
                "reports/latest",
                *(f"general::lost-{n}" for n in range(40)),
                "--because",
                "x",
                "--by",
                "A",
            ]
        )
        == 0
    )
    assert project.run("general.yaml", "--sequential").ret == 0
    assert gate(project)["without_accepted"] == "failed"
