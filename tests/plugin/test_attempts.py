"""A probe that is lost is asked again, in another batch and in other words, and is lost by majority."""

from __future__ import annotations

import pytest

from harness.evaluation.rescore import rescored
from harness.reporting.record import read_record
from tests.support.project import said
from tests.support.runs import TWO, conftest

PROBE = "  - {{id: {id}, question: {id}?, answer: yes, also_ask: [{id} again?, {id} once more?]{more}}}\n"
ALL_WORDS = ("?", " again?", " once more?")


def checklist(project, ids="abc", **more):
    """Probes that can be asked in three ways, and a baseline that knows all of them."""
    probes = "".join(PROBE.format(id=id, more=more.get(id, "")) for id in ids)
    project.write(
        "checks.yaml", f"suite: checks\nscore: mentions\ngates: [{{over: each}}]\nprobes:\n{probes}"
    )
    project.models({"*": "Yes."}, {"*": "Yes."})


def lose(project, *prompts):
    project.models({}, dict.fromkeys(prompts, "No."))


def rows(project):
    return {row["id"]: row for row in project.record()["probes"]}


def test_where_nothing_is_lost_nothing_more_is_asked(project):
    checklist(project)
    project.models({"b?": "No."}, {"b?": "Yes."})
    assert project.run().ret == 0
    assert project.asked("baseline") == project.asked("tuned") == ["a?", "b?", "c?"]
    assert all(row["again"] == [] for row in rows(project).values())


def test_lost_in_its_own_words_alone_is_kept(project):
    checklist(project)
    lose(project, "a?", "b?", "c?")
    result = project.run()
    result.assert_outcomes(passed=3)
    assert result.ret == 0
    assert set(project.outcomes().values()) == {("RETAINED", "passed")}
    assert all(row["undecided"] is None for row in project.record()["gates"])
    assert project.asked("tuned")[3:] == project.asked("baseline")[3:]
    assert sorted(project.asked("tuned")[3:]) == sorted(id + words for id in "abc" for words in ALL_WORDS)


def test_lost_by_majority_is_lost(project):
    checklist(project)
    lose(project, "a?", "a again?", "b?", "b once more?")
    result = project.run()
    result.assert_outcomes(passed=1, failed=2)
    assert result.ret == 1
    assert project.outcomes()["checks probe[a]"] == ("FORGOTTEN", "failed")
    assert "  lost in 3 of 4 attempts, 2 of them in other words\n" in said(result)


def test_attempts_count_only_where_the_baseline_knows_the_words(project):
    checklist(project)
    lose(project, *(id + words for id in "ab" for words in ALL_WORDS))
    project.models({id + words: "No." for id in "ab" for words in ALL_WORDS[1:]}, {})
    result = project.run()
    assert result.ret == 1
    assert project.outcomes()["checks probe[a]"] == ("FORGOTTEN", "failed")
    assert "  lost in 2 of 2 attempts; the baseline is wrong in 2 more\n" in said(result)


def test_one_lost_probe_is_a_warning(project):
    checklist(project)
    lose(project, *("a" + words for words in ALL_WORDS))
    result = project.run()
    result.assert_outcomes(passed=3, warnings=1)
    assert result.ret == 0
    assert project.outcomes()["checks probe[a]"] == ("FORGOTTEN", "warned")
    assert "  a warning only: a suite may lose one probe that is not critical" in said(result)
    assert project.run("--strict").ret == 1
    assert project.run("-W", "error").ret == 1


def test_one_lost_probe_in_each_of_two_suites_is_a_warning_in_each(project):
    checklist(project)
    text = (project.path / "checks.yaml").read_text()
    project.write("more.yaml", text.replace("suite: checks", "suite: more"))
    lose(project, *("a" + words for words in ALL_WORDS))
    result = project.run()
    result.assert_outcomes(passed=6, warnings=2)
    assert result.ret == 0


def test_a_lost_critical_probe_fails_alone(project):
    checklist(project, a=", severity: critical")
    lose(project, *("a" + words for words in ALL_WORDS))
    assert project.run().ret == 1
    assert project.outcomes()["checks probe[a]"] == ("FORGOTTEN", "failed")


def test_a_critical_probe_that_is_lost_in_its_own_words_alone_is_kept(project):
    checklist(project, a=", severity: critical")
    lose(project, "a?")
    assert project.run().ret == 0


def test_without_other_words_it_is_asked_twice(project):
    project.capability("[{over: each}]", (1, 2, 0, 0))
    result = project.run()
    assert result.ret == 1
    assert project.asked("tuned").count("general lost-0?") == 2
    assert project.asked("tuned").count("general kept-0?") == 1
    assert "  lost in 2 of 2 attempts\n" in said(result)


FLAKY = """

class Flaky(Scripted):
    asked = set()

    def answer(self, prompt):
        first = prompt not in self.asked
        self.asked.add(prompt)
        return "No." if first else super().answer(prompt)


@pytest.fixture(scope="session")
def tuned():
    return Flaky("tuned")
"""


def test_what_is_lost_once_and_then_kept_is_kept(project):
    project.capability("[{over: each}]", (3, 0, 0, 0), severity="critical")
    conftest(project, FLAKY)
    assert project.run().ret == 0
    assert set(project.outcomes().values()) == {("RETAINED", "passed")}


def test_the_tuned_model_alone_is_asked_once(project):
    project.capability("[{over: each, require: pass}]", (0, 1, 0, 0))
    assert project.run().ret == 1
    assert len(project.asked("tuned")) == 1


# The record


def test_the_record_has_all_attempts(project):
    checklist(project)
    lose(project, "a?", "a again?")
    project.run()
    row = rows(project)["a"]
    assert row["change"] == "lost"
    assert [
        (again["fields"]["question"], again["baseline"]["right"], again["tuned"]["right"])
        for again in row["again"]
    ] == [("a?", True, False), ("a again?", True, False), ("a once more?", True, True)]
    assert rows(project)["b"]["again"] == []


@pytest.mark.parametrize("lost", [("a?", "b?"), ("a?", "a again?", "b?", "b again?"), ("a?", "a again?")])
def test_scored_again_the_record_comes_to_the_same(project, lost):
    checklist(project)
    lose(project, *lost)
    code = project.run().ret
    record = read_record(project.path / "reports/latest/record.json")
    again = rescored(record)
    assert [(row.slice, row.outcome) for row in again.gates] == [
        (row.slice, row.outcome) for row in record.gates
    ]
    assert again.run.exit_status == code
    assert again.probes == record.probes


def test_in_parallel_it_comes_to_the_same(project):
    pytest.importorskip("xdist")
    checklist(project)
    lose(project, "a?", "a again?", "b?")
    folders = project.folders()
    assert project.run(*folders).ret == 0
    expected = project.outcomes(), rows(project)
    assert project.run(*folders, *TWO).ret == 0
    assert (project.outcomes(), rows(project)) == expected
