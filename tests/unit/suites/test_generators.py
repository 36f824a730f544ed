from __future__ import annotations

import pytest

from harness.errors import LimitError
from harness.suites.generate import Allowance, GeneratorFormat, generate
from harness.suites.haystack import filler

HEAD = "suite: s\nscore: number\ngates: [{over: all, max_drop: 0.1}]\ngenerators:\n"


def make(**changes):
    written = {
        "count": 5,
        "seed": 3,
        "draw": {"a": {"whole": [1, 9]}, "w": {"choice": ["red", "blue"]}},
        "probe": {"id": "p-{n}", "question": "{a} {w}", "answer": "{a * 2}", "choices": ["{w}", "x"]},
    }
    return GeneratorFormat.model_validate({**written, **changes})


def test_the_same_seed_makes_the_same_probes():
    assert generate(make(), Allowance()) == generate(make(), Allowance())
    assert generate(make(), Allowance()) != generate(make(seed=4), Allowance())
    first = generate(make(), Allowance())[0]
    assert first["id"] == "p-1"
    assert first["answer"] == 2 * int(first["question"].split()[0])
    assert first["choices"][1] == "x"


def test_no_probe_is_made_twice():
    probes = generate(make(count=18), Allowance())
    assert len({probe["question"] for probe in probes}) == 18


def several(**changes):
    return make(
        count=2,
        probe={"category": "{w}", "passage": "{a} and {w}", "answer": "{a}"},
        probes=[
            {"id": "a-{n}", "question": "Which number?"},
            {"id": "w-{n}", "question": "And?", "answer": "{w}"},
        ],
        **changes,
    )


def test_probes_of_one_draw():
    probes = generate(several(), Allowance())
    assert [probe["id"] for probe in probes] == ["a-1", "w-1", "a-2", "w-2"]
    for number, word in (probes[:2], probes[2:]):
        assert number["passage"] == word["passage"] == f"{number['answer']} and {word['answer']}"
        assert number["category"] == word["category"] == word["answer"]
    assert probes[0]["passage"] != probes[2]["passage"]


def test_draws_that_make_the_same_probes_are_drawn_again():
    draw = {"a": {"whole": [1, 1]}, "w": {"choice": ["red"] * 9 + ["blue"]}}
    assert {probe["category"] for probe in generate(several(draw=draw), Allowance())} == {"red", "blue"}
    with pytest.raises(ValueError, match="give only about 1 different probes, but 'count' is 2"):
        generate(several(draw={"a": {"whole": [1, 1]}, "w": {"choice": ["red"]}}), Allowance())


def test_probes_of_one_draw_are_a_cluster_and_stand_where_they_are_written(read):
    suite = read(
        HEAD.replace("score:", "task: {prompt: '{passage} {question}'}\nscore:")
        + "  - count: 2\n    draw: {a: {whole: [1, 50]}}\n    probe: {passage: 'It is {a}.', answer: '{a}'}\n"
        "    probes:\n      - question: Which?\n      - {id: 'more-{n}', question: And a half?, answer: 1.50}\n"
    )
    assert [probe.id for probe in suite.probes] == ["generated-1-1", "more-1", "generated-1-3", "more-2"]
    assert {probe.cluster for probe in suite.probes} == {"generated-1"}
    assert [probe.span.line for probe in suite.probes] == [10, 11, 10, 11]
    assert suite.probes[1].answers == ("1.50",)


def test_filler_is_as_long_as_asked_and_answers_nothing():
    import random

    text = filler(50, random.Random(1))
    assert 50 <= len(text.split()) < 66
    assert filler(0, random.Random(1)) == ""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("  - {count: 3, draw: {a: {whole: [1, 2]}}, probe: {question: 'q {a}', answer: '{a}'}}",
         "5:44: the draws give only about 2 different probes, but 'count' is 3"),
        ("  - {count: 3, draw: {a: {whole: [5, 2]}}, probe: {question: q}}",
         "5:26: 'whole' goes from low to high, saw [5, 2]"),
        ("  - {count: 3, draw: {a: {}}, probe: {question: q}}", "5:26: a draw has one of 'whole', 'choice' and 'filler'"),
        ("  - {count: 0, probe: {question: q}}", "5:13: 'count' must be at least 1, saw 0"),
        ("  - {count: 1, probe: {question: '{zz}', answer: 1}}", "5:16: unknown name 'zz'; there are: n"),
        ("  - {count: 1, prob: {question: q}}", "5:16: unknown key 'prob' in a generator\n  did you mean 'probe'?"),
        ("  - {count: 1, probe: {question: q, answer: x}}", "an answer under 'number' must be one number, saw 'x'"),
        ("  - {count: 2, probe: {id: same, question: 'q{n}', answer: 1}}", "repeated id 'same'"),
        ("  - {count: 1, probe: {answer: 1}, probes: [{id: x, question: a}, {id: x, question: b}]}", "5:68: repeated id 'x'"),
        ("  - {count: 1, probe: {answer: 1}, probes: [{question: a}, {question: b, answr: 2}]}",
         "5:74: unknown key 'answr' in a probe: the prompt does not use it\n  did you mean 'answer'?"),
        ("  - {count: 1, probe: {answer: 1}, probes: [{question: a}, {question: b, answer: c}]}",
         "5:74: an answer under 'number' must be one number, saw 'c'"),
        ("  - {count: 1, probe: {answer: 1}, probes: {question: a}}", "5:44: 'probes' must be a list, saw a mapping"),
        ("  - {count: 2, draw: {a: {filler: '{1 / 2}'}}, probe: {question: '{a}', answer: 1}}",
         "'filler' must be a whole number of words, saw 0.5"),
    ],
)  # fmt: skip
def test_errors_stand_at_the_generator(problems, body, message):
    assert message in problems(HEAD + body + "\n")


def test_generated_probes_follow_those_of_the_file(read):
    suite = read(
        HEAD
        + "  - {count: 2, draw: {a: {whole: [1, 50]}}, probe: {question: 'What is {a} + 1?', answer: '{a + 1}'}}\n"
        + "probes: [{id: first, question: 1 + 1?, answer: 2}]\n"
    )
    assert [probe.id for probe in suite.probes] == ["first", "generated-1-1", "generated-1-2"]
    assert all(probe.span.line in (5, 6) for probe in suite.probes)


def test_a_score_takes_drawn_numbers(read):
    suite = read(
        HEAD
        + "  - {count: 1, draw: {k: {whole: [4, 4]}}, probe: {question: q, score: {check: {min_words: '{k}'}}}}\n"
    )
    assert suite.probes[0].scorer.min_words == 4


def test_drawn_numbers_are_as_written_until_they_are_computed_with(read):
    suite = read(
        HEAD + "  - count: 1\n"
        "    draw: {p: {choice: [1.50]}, q: {choice: [0.00001]}, r: {choice: [1e5]}, h: {choice: [0x1F]}, t: {choice: [true]}}\n"
        "    probe: {question: '{p} {q} {r} {h} {t} {p * 2} {q * 1} {h + 1} {0.1 + 0.2}', answer: ['{p}', '{q * 1}', 1.50]}\n"
    )
    assert suite.probes[0].fields["question"] == "1.50 0.00001 1e5 0x1F true 3 0.00001 32 0.3"
    assert suite.probes[0].answers == ("1.50", "0.00001", "1.50")


@pytest.mark.parametrize(
    "answer", ["'{1e308 * 10}'", "'about {1e308 * 10}'", "['{1e308 * 10 - 1e308 * 10}']"]
)
def test_numbers_that_are_none(problems, answer):
    told = problems(HEAD + f"  - {{count: 1, probe: {{question: q, answer: {answer}}}}}\n")
    assert "infinity, which is not a number" in told or "NaN, which is not a number" in told


def test_generators_share_what_they_may_make():
    allowance = Allowance()
    generate(make(), allowance)
    left = allowance.left
    assert left < Allowance().left
    generate(make(), allowance)
    assert Allowance().left - left == left - allowance.left
    allowance.left = 100
    with pytest.raises(LimitError, match="draw and write more than 60,000,000 characters\n  make fewer"):
        generate(make(), allowance)
