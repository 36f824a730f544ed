"""Each verdict from answers to exit code, and the sentence and the evidence that a failure shows."""

from __future__ import annotations

import pytest

from tests.support.project import not_green, said

ALL = "[{over: all, max_drop: 0.10}]"
CATEGORY = "[{over: category, max_drop: 0.10}]"
EACH = "[{over: each}]"
PASS = "[{over: each, require: pass}]"


def section(result, title):
    """The lines under a heading of pytest's output, up to the next."""
    lines = result.outlines
    start = next(i for i, line in enumerate(lines) if line.strip("_= ") == title)
    end = next(i for i in range(start + 1, len(lines)) if lines[i].startswith(("====", "____", "----")))
    return "\n".join(lines[start + 1 : end])


# Slices


def test_retained_passes(project):
    project.capability(ALL, (60, 0, 0, 0))
    result = project.run()
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert "Warning" not in said(result)
    assert project.outcomes() == {"general all": ("RETAINED", "passed")}


def test_forgotten_fails_with_a_sentence_and_evidence(project):
    project.capability(CATEGORY, {"math": (9, 11, 1, 9)}, name="general-qa")
    result = project.run()
    result.assert_outcomes(failed=1)
    assert result.ret == 1
    expected = ["general-qa · math: FORGOTTEN, 33.3 points lost (margin 10; 90 % interval 16.5 to 49.4)",
                "  30 probes: 9 kept, 11 lost, 1 gained, 9 missed",
                "  50.0 % of what the baseline knew was lost (margin 35 %; 90 % interval 27.7 to 68 %)",
                "  no accident: p = 0.0017 (fails at 0.05 or less)"]  # fmt: skip
    expected += [
        f'  lost  math-lost-{i}  expected yes  baseline "Yes, indeed."  tuned "No idea."' for i in range(10)
    ]
    expected += ["  and 1 more lost; the record has all of them"]
    assert section(result, "category[math]") == "\n".join(expected)
    not_green(result)


def test_ids_and_answers_are_aligned_and_shortened(project):
    project.write("s.yaml", "suite: s\nscore: contains\ngates: [{over: all, max_drop: 0.0, max_loss: 1}]\nprobes:\n"
                  "  - {id: a, question: A?, answer: [Paris, Paname, Lutetia, ville, lumiere]}\n"
                  "  - {id: a-longer-id, question: B?, score: {check: {min_words: 3}}}\n")  # fmt: skip
    project.models({"A?": "It is Paris.", "B?": "one two three"}, {"A?": "x" * 100, "B?": "DRUG:\n1"})
    assert section(project.run("--strict"), "all").splitlines()[4:] == [
        '  lost  a            expected Paris or Paname or Lutetia or ville  baseline "It is Paris."  '
        f'tuned "{"x" * 57}..."',
        '  lost  a-longer-id  expected check {"min_words": 3}  baseline "one two three"  tuned "DRUG:\\n1"'
        "  (min_words: 3: has 2)",
    ]


@pytest.mark.parametrize(
    ("rule", "counts", "code", "outcome"),
    [
        ("", (36, 2, 0, 2), 0, "warned"),  # 5 points lost: within the margin
        ("", (32, 4, 0, 4), 0, "warned"),  # 10 points lost: the margin itself
        ("", (30, 6, 0, 4), 1, "failed"),  # 15 points lost: over it, and no accident
        ("", (27, 7, 2, 4), 0, "warned"),  # 12.5 points lost, which 9 flips may be by accident
        (", on_inconclusive: observed", (27, 7, 2, 4), 1, "failed"),
        (", on_inconclusive: observed", (30, 6, 0, 4), 1, "failed"),
        (", on_inconclusive: pass", (30, 6, 0, 4), 0, "warned"),
        (", on_inconclusive: pass", (36, 2, 0, 2), 0, "warned"),
        (", on_inconclusive: fail", (36, 1, 0, 3), 1, "failed"),
        (", on_inconclusive: fail", (38, 0, 2, 0), 0, "passed"),  # RETAINED: the rule has nothing to say
    ],
)
def test_inconclusive(project, rule, counts, code, outcome):
    project.capability(f"[{{over: all, max_drop: 0.10{rule}}}]", counts)
    result = project.run()
    verdict, seen = project.outcomes()["general all"]
    assert (result.ret, seen) == (code, outcome)
    assert verdict == ("RETAINED" if outcome == "passed" else "INCONCLUSIVE")


@pytest.mark.parametrize("rule", ["confirmed", "observed", "pass", "fail"])
def test_strict_fails_whatever_is_inconclusive(project, rule):
    project.capability(f"[{{over: all, max_drop: 0.10, on_inconclusive: {rule}}}]", (36, 2, 0, 2))
    result = project.run("--strict")
    assert result.ret == 1
    assert section(result, "all") == (
        "general · all: INCONCLUSIVE, 5 points lost (margin 10; 90 % interval -1.7 to 14)\n"
        "  40 probes: 36 kept, 2 lost, 0 gained, 2 missed\n"
        "  5.3 % of what the baseline knew was lost (margin 15 %; 90 % interval -1.9 to 14.7 %)\n"
        "  it fails under --strict\n"
        "  about 112 more probes like these would settle it in 8 of 10 runs\n"
        '  lost  lost-0  expected yes  baseline "Yes, indeed."  tuned "No idea."\n'
        '  lost  lost-1  expected yes  baseline "Yes, indeed."  tuned "No idea."'
    )
    assert project.record()["run"]["strict"] is True


def test_strict_lets_the_retained_pass(project):
    project.capability(ALL, (60, 0, 0, 0))
    assert project.run("--strict").ret == 0


def test_strict_from_the_ini_file_is_pytest_s_own(project):
    project.write("pytest.ini", "[pytest]\nstrict = true\n")
    project.capability(ALL, (38, 2, 0, 0))
    assert project.run().ret == 0
    assert project.record()["run"]["strict"] is False


def test_an_inconclusive_pass_is_a_warning_that_says_what_would_settle_it(project):
    project.capability(ALL, (38, 2, 0, 0))
    result = project.run()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*general.yaml:4: ForgettingWarning: general · all: INCONCLUSIVE, 5 points lost "
            "(margin 10; 90 % interval -1.7 to 14)",
            "*40 probes: 38 kept, 2 lost, 0 gained, 0 missed",
            "*5.0 % of what the baseline knew was lost (margin 15 %; 90 % interval -1.8 to 14 %)",
            "*what was observed is within the margin, but on too few probes to be sure",
            "*about 112 more probes like these would settle it in 8 of 10 runs",
        ]
    )
    assert project.record()["gates"][0]["more_probes_to_settle"] == 112


def test_a_loss_that_may_be_an_accident_is_a_warning_that_says_so(project):
    project.capability(ALL, (27, 7, 2, 4))
    result = project.run()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*may be an accident, so only a warning: p = 0.055 (fails at 0.05 or less)"])


@pytest.mark.parametrize(
    ("rule", "code", "how"), [("observed", 1, "fails"), ("pass", 0, "passes with this warning")]
)
def test_a_rule_that_a_gate_names_is_named(project, rule, code, how):
    project.capability(f"[{{over: all, max_drop: 0.10, on_inconclusive: {rule}}}]", (30, 6, 0, 4))
    result = project.run()
    assert result.ret == code
    assert f"it {how} under on_inconclusive: {rule}" in said(result)


def test_a_share_of_what_the_baseline_knew_is_a_margin_of_its_own(project):
    """9 of 12 known are lost, which is less than 20 points of 46."""
    counts = (3, 9, 0, 34)
    project.capability("[{over: category, max_drop: 0.20}]", {"math": counts})
    result = project.run()
    assert result.ret == 1
    assert project.outcomes() == {"general category[math]": ("FORGOTTEN", "failed")}
    assert "75.0 % of what the baseline knew was lost (margin 35 %; 90 % interval 51.3 to 89.5 %)" in said(
        result
    )
    row = project.record()["gates"][0]
    assert (row["max_drop"], row["max_loss"]) == (0.2, 0.35)
    assert row["loss"] == pytest.approx([0.5127, 0.8953], abs=1e-4)
    project.capability("[{over: category, max_drop: 0.20, max_loss: 1}]", {"math": counts})
    assert project.run().ret == 0


@pytest.mark.parametrize(
    "rule", ["", ", on_inconclusive: observed", ", on_inconclusive: pass", ", on_inconclusive: fail"]
)
def test_five_questions_cannot_pass_a_model(project, rule):
    project.capability(f"[{{over: all, max_drop: 0.10{rule}}}]", (5, 0, 0, 0))
    result = project.run("-rs")
    assert result.ret == 5
    why = "not gated, 5 probes: a margin of 10 points needs 25"
    assert f"general · all: {why}" in said(result)
    row = project.record()["gates"][0]
    assert (row["verdict"], row["outcome"], row["more_probes_to_settle"]) == ("INCONCLUSIVE", "skipped", 20)
    assert row["undecided"] == why
    assert project.run("--strict").ret == 5


def test_a_slice_that_decides_nothing_does_not_hide_in_one_that_does(project):
    project.capability(
        "[{over: all, max_drop: 0.1}, {over: category, max_drop: 0.1}]",
        {"a": (40, 0, 0, 0), "b": (9, 0, 0, 0)},
    )
    result = project.run()
    assert result.ret == 0
    assert "1 gate of 3 decided nothing, for lack of probes:" in said(result)
    assert "  general  category[b]: not gated, 9 probes: a margin of 10 points needs 25" in said(result)


def test_warnings_that_are_errors_fail_without_a_traceback(project):
    project.capability(ALL, (38, 2, 0, 0))
    result = project.run("-W", "error")
    assert result.ret == 1
    result.assert_outcomes(failed=1)
    assert "this run makes warnings errors, so it fails" in not_green(result)
    assert project.outcomes() == {"general all": ("INCONCLUSIVE", "failed")}


@pytest.mark.parametrize(
    "counts", [(0, 0, 0, 30), (3, 0, 0, 27), (0, 3, 0, 27), (0, 0, 30, 0), (2, 1, 9, 18)]
)
def test_vacuous_does_not_pass(project, counts):
    """A baseline that is right on no more than the margin has nothing to lose."""
    project.capability("[{over: all, max_drop: 0.10, on_inconclusive: pass}]", counts)
    result = project.run()
    assert result.ret == 1
    assert project.outcomes() == {"general all": ("VACUOUS", "failed")}
    right = counts[0] + counts[1]
    assert section(result, "all").startswith(
        f"general · all: VACUOUS, the baseline is right on {100 * right / 30:.1f} %, "
        "so even losing all of it would be within the margin of 10 points\n  ask what the baseline can answer"
        if right else "general · all: VACUOUS, the baseline is right on none of the 30 probes asked, "
        "so no loss could show\n  ask what the baseline can answer"
    )  # fmt: skip


def test_a_margin_of_one_can_never_pass(project):
    project.capability("[{over: all, max_drop: 1.0, max_loss: 1}]", (30, 0, 0, 0))
    assert project.run().ret == 1
    assert project.outcomes() == {"general all": ("VACUOUS", "failed")}


def test_one_category_is_enough_to_fail(project):
    project.capability(
        "[{over: all, max_drop: 0.2}, {over: category, max_drop: 0.2}]",
        {"a": (90, 0, 0, 0), "b": (90, 0, 0, 0), "c": (5, 15, 0, 0)},
    )
    result = project.run()
    assert result.ret == 1
    assert {name: verdict for name, (verdict, _) in project.outcomes().items()} == {
        "general all": "RETAINED",
        "general category[a]": "RETAINED",
        "general category[b]": "RETAINED",
        "general category[c]": "FORGOTTEN",
    }


def test_gains_do_not_hide_in_a_slice_what_was_lost_in_another(project):
    project.capability(CATEGORY, {"a": (10, 20, 0, 0), "b": (10, 0, 20, 0)})
    assert project.run().ret == 1


# Single probes


def test_each_probe_for_itself(project):
    project.capability(EACH, (1, 1, 1, 1), severity="critical")
    result = project.run("-rs")
    result.assert_outcomes(passed=2, failed=1, skipped=1)
    assert result.ret == 1
    assert project.outcomes() == {
        "general probe[kept-0]": ("RETAINED", "passed"),
        "general probe[lost-0]": ("FORGOTTEN", "failed"),
        "general probe[gained-0]": ("RETAINED", "passed"),
        "general probe[missed-0]": ("VACUOUS", "skipped"),
    }
    assert section(result, "probe[lost-0]") == (
        "general · lost-0: FORGOTTEN, the baseline was right and the tuned model is wrong\n"
        "  lost in 2 of 2 attempts\n"
        '  question  "general lost-0?"\n'
        "  expected  yes\n"
        '  baseline  "Yes, indeed."\n'
        '  tuned     "No idea."'
    )
    result.stdout.fnmatch_lines(
        ["SKIPPED*general.yaml:9: general · missed-0: both models miss it, so there is nothing to lose here"]
    )


def test_a_suite_in_which_every_probe_is_skipped_fails(project):
    project.capability(EACH, (0, 0, 0, 3))
    result = project.run()
    result.assert_outcomes(failed=3)
    assert result.ret == 1
    assert set(project.outcomes().values()) == {("VACUOUS", "failed")}
    assert section(result, "probe[missed-0]").startswith(
        "general · missed-0: VACUOUS, the baseline is right on none of the 3 probes asked, "
        "so no loss could show\n"
    )


def test_a_baseline_that_knows_nothing_is_not_saved_by_what_the_tuned_model_gained(project):
    project.capability(EACH, (0, 0, 5, 15), name="checklist")
    result = project.run()
    assert result.ret == 1
    result.assert_outcomes(failed=20)


def test_a_single_selected_probe_that_both_miss_is_no_pass(project):
    """The baseline is asked the rest of the suite, so as not to be said to know nothing."""
    project.capability(EACH, (3, 0, 0, 1))
    for selected in (["general.yaml::probe[missed-0]"], ["-k", "missed"]):
        result = project.run(*selected)
        result.assert_outcomes(skipped=1, deselected=0 if len(selected) == 1 else 3)
        assert result.ret == 5
        assert project.outcomes() == {"general probe[missed-0]": ("VACUOUS", "skipped")}
    assert project.run().ret == 0
    project.capability(EACH, (0, 0, 0, 4))
    assert project.run("-k", "missed-0").ret == 1


def test_probes_that_pass_in_one_suite_do_not_excuse_another(project):
    project.capability(EACH, (3, 0, 0, 0), name="one")
    project.capability(EACH, (0, 0, 0, 3), name="two")
    result = project.run()
    result.assert_outcomes(passed=3, failed=3)
    assert result.ret == 1


def test_a_passing_slice_does_not_excuse_probes_that_are_all_missed(project):
    project.capability(f"[{{over: all, max_drop: 0.1}}, {EACH[1:-1]}]", (0, 0, 0, 2))
    result = project.run()
    result.assert_outcomes(failed=3)


def test_require_pass_asks_the_tuned_model_alone(project):
    project.capability(PASS, (1, 1, 1, 1))
    result = project.run()
    result.assert_outcomes(passed=2, failed=2)
    assert result.ret == 1
    assert project.asked("baseline") == []
    assert section(result, "probe[missed-0]") == (
        "general · missed-0: FAILED, the tuned model's answer is wrong (require: pass)\n"
        '  question  "general missed-0?"\n'
        "  expected  yes\n"
        '  tuned     "No idea."'
    )
    row = project.record()["gates"][0]
    assert (row["verdict"], row["outcome"], row["drop"], row["tuned_accuracy"]) == (None, "passed", None, 1.0)


@pytest.mark.parametrize("blank", ["", " ", "\n\n", "\u200b", "\x00", "\u00a0"])
def test_a_blank_answer_is_never_right(project, blank):
    project.write("s.yaml", "suite: s\ngates: [{over: each, require: pass}, {over: all, max_drop: 0.1}]\nprobes:\n"
                  "  - {id: a, question: A?, score: {check: {max_words: 9}}}\n"
                  "  - {id: b, question: B?, score: {check: {not: {mentions: sorry}}}}\n"
                  "  - {id: c, question: C?, answer: '.', score: contains}\n")  # fmt: skip
    project.models({"*": "fine."}, {"*": blank})
    result = project.run("--strict")
    result.assert_outcomes(failed=3, skipped=1)  # three probes are too few for a margin
    assert all(row["tuned_accuracy"] == 0 for row in project.record()["gates"])


# Choices and texts

SCORED = """
import pytest
from harness.engine.requests import ChoiceLogProbs, LogLikelihood, MultipleChoice

class Scripted:
    kinds = frozenset({"generate", "choose", "likelihood"})

    def __init__(self, label, logprobs):
        self.label, self.logprobs = label, logprobs

    def render(self, prompt):
        return prompt.text

    def ask(self, requests, progress=None):
        return [
            ChoiceLogProbs(self.logprobs) if isinstance(one, MultipleChoice) else LogLikelihood(self.logprobs[0], TOKENS)
            for one in requests
        ]

TOKENS = 1
nan, inf = float("nan"), float("inf")

@pytest.fixture(scope="session")
def baseline():
    return Scripted("before", BEFORE)

@pytest.fixture(scope="session")
def tuned():
    return Scripted("after", AFTER)
"""
CHOOSE = (
    "suite: s\ntask: {format: text, prompt: 'Q {question} A', answer: choose}\n"
    "gates: [{over: each}]\nprobes:\n"
    + "".join(f"  - {{id: {id}, question: {id}, choices: [one, two], answer: two}}\n" for id in "abcde")
)
"""Five right of five are more than guessing: 1 in 32."""
FEW = "\n".join(CHOOSE.splitlines()[:8]) + "\n"
TEXTS = (
    "suite: s\nseverity: critical\ntask: {format: text, answer: likelihood}\n"
    "gates: [{over: each}]\nprobes:\n  - {id: a, text: A text of some length.}\n"
)


def scored(project, suite, before, after, tokens=1):
    script = (
        SCORED.replace("BEFORE", before).replace("AFTER", after).replace("TOKENS = 1", f"TOKENS = {tokens}")
    )
    project.write("s.yaml", suite)
    project.write("conftest.py", script)
    return project.run()


@pytest.mark.parametrize(
    ("suite", "before", "after", "code"),
    [
        (CHOOSE, "(-2.0, -1.0)", "(-9.0, -8.0)", 0),
        (CHOOSE, "(-2.0, -1.0)", "(-1.0, -2.0)", 1),
        (CHOOSE, "(-1.0, -2.0)", "(-1.0, -2.0)", 1),
        (FEW, "(-2.0, -1.0)", "(-2.0, -1.0)", 1),  # right by chance, as far as can be told
        (TEXTS, "(-150.0,)", "(-150.0,)", 1),  # 8.7 bits a byte: worse than any noise
        (TEXTS, "(-10.0,)", "(-10.4,)", 0),
        (TEXTS, "(-10.0,)", "(-1.0,)", 0),
        (TEXTS, "(-10.0,)", "(-10.6,)", 1),
    ],
)
def test_choices_and_likelihood_from_end_to_end(project, suite, before, after, code):
    assert scored(project, suite, before, after).ret == code


def test_a_lost_choice_shows_both_choices(project):
    assert section(scored(project, CHOOSE, "(-2.0, -1.0)", "(-1.0, -2.0)"), "probe[a]").splitlines()[1:] == [
        "  lost in 2 of 2 attempts",
        '  question  "a"',
        "  expected  two",
        '  baseline  "two"',
        '  tuned     "one"',
    ]


@pytest.mark.parametrize("suite", [CHOOSE, TEXTS])
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
def test_numbers_that_prove_nothing_stop_the_run(project, suite, side, bad):
    good = "(-2.0, -1.0)" if suite is CHOOSE else "(-10.0,)"
    wrong = f"({bad}, {bad})"
    before, after = (wrong, good) if side == "before" else (good, wrong)
    result = scored(project, suite, before, after)
    assert result.ret == 4
    text = not_green(result)
    assert "passed" not in text
    assert (
        "s.yaml:1:1: the suite 's' cannot be judged\n"
        f"  {side}: the probe 'a' has an answer whose log-probability is {'NaN' if bad == 'nan' else 'infinite'}"
    ) in text


@pytest.mark.parametrize("numbers", ["(-1.0,)", "(-1.0, -2.0, -3.0)", "()"])
def test_a_choice_without_its_number_stops_the_run(project, numbers):
    result = scored(project, CHOOSE, "(-2.0, -1.0)", numbers)
    assert result.ret == 4
    assert "log-probabilities for 2 choices" in not_green(result)


def test_a_text_of_which_nothing_was_measured_stops_the_run(project):
    result = scored(project, TEXTS, "(0.0,)", "(0.0,)", tokens=0)
    assert result.ret == 4
    assert "the probe 'a' has an answer in which no token was measured" in not_green(result)


@pytest.mark.parametrize("side", ["baseline", "tuned"])
def test_a_text_of_which_a_model_is_certain_stops_the_run(project, side):
    given = {"baseline": "(-10.0,)", "tuned": "(-10.0,)", side: "(0.0,)"}
    result = scored(project, TEXTS, given["baseline"], given["tuned"])
    assert result.ret == 4
    assert "the probe 'a' has an answer whose log-probability is 0" in not_green(result)
