"""What ships: suites that read cleanly and mean something, and corpora that do not give their answers away."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.authoring.near_duplicates import Asked, alike
from harness.engine.requests import Generated
from harness.recipes.diff import changes
from harness.recipes.mitigations import MITIGATIONS
from harness.recipes.read import read_recipe
from harness.scoring import SCORERS
from harness.scoring.reading import folded, normalised
from harness.scoring.score import score
from harness.scoring.text import mentions
from harness.stats.power import Confirmed, minimum_detectable_drop
from harness.stats.uniform import extreme_p_value, places_p_value
from harness.suites.read import read_suite
from harness.suites.suite import MarginGate, SliceGate, Suite
from harness.sweep.record import read_sweep
from harness.wording import between, points

ROOT = Path(__file__).parents[2]
SUITES = sorted((ROOT / "suites").glob("*.y*ml"))
CORPORA = sorted((ROOT / "fixtures" / "corpora").glob("*.jsonl"))
SCHEMAS = sorted((ROOT / "docs").glob("*.schema.json"))


def shipped(name: str) -> Suite:
    return read_suite(ROOT / "suites" / f"{name}.yaml", SCORERS)


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.name)
def test_every_suite_reads_cleanly(path):
    suite = read_suite(path, SCORERS)
    assert suite.about
    assert suite.probes


def test_no_two_suites_have_one_name():
    names = [read_suite(path, SCORERS).name for path in SUITES]
    assert len(set(names)) == len(names) >= 2


def test_no_two_suites_share_an_id():
    places: dict[str, list[str]] = {}
    for path in SUITES:
        for probe in read_suite(path, SCORERS).probes:
            places.setdefault(probe.id, []).append(path.stem)
    assert {id: names for id, names in places.items() if len(names) > 1} == {}


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.name)
def test_no_question_is_asked_twice(path):
    asked = Counter(
        normalised(" ".join([*probe.fields.values(), *probe.choices, probe.text or ""]))
        for probe in read_suite(path, SCORERS).probes
    )
    assert [question for question, times in asked.items() if times > 1] == []


def test_there_are_twelve_suites_and_1500_probes():
    suites = [read_suite(path, SCORERS) for path in SUITES]
    assert len(suites) >= 12
    assert sum(len(suite.probes) for suite in suites) >= 1500


@pytest.fixture(scope="module")
def gates_of_a_run():
    """How many gates of slices a run of every suite decides together."""
    suites = [read_suite(path, SCORERS) for path in SUITES]
    gates = [(suite, gate) for suite in suites for gate in suite.gates if isinstance(gate, SliceGate)]
    return sum(len(gate.slices(suite)) for suite, gate in gates)


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.name)
def test_a_full_run_catches_15_points_of_a_suite_and_36_of_a_category(path, gates_of_a_run):
    suite = read_suite(path, SCORERS)
    for gate in suite.gates:
        if not isinstance(gate, MarginGate):
            continue
        rule = Confirmed(gate.max_drop, 0.05 / gates_of_a_run)
        fewest = min(map(len, gate.slices(suite).values()))
        assert minimum_detectable_drop(fewest, 0.025, rule) <= {"all": 0.15, "category": 0.36}[gate.over]


def test_general_qa_is_large_enough_to_see_something():
    suite = shipped("general_qa")
    sizes = Counter(probe.category for probe in suite.probes)
    assert len(suite.probes) >= 200
    assert len(sizes) >= 8
    assert None not in sizes
    assert min(sizes.values()) >= 20
    assert {gate.over for gate in suite.gates} == {"all", "category"}


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        (["capital of france"], "Paris"),
        (["15", "multiplied by", "7"], "105"),
        (["hamlet"], "Shakespeare"),
        (["gas", "plants", "absorb"], "carbon dioxide"),
        (["world war ii", "end"], "1945"),
    ],
)
def test_general_qa_asks_the_questions_that_everyone_asks(parts, answer):
    found = [
        probe
        for probe in shipped("general_qa").probes
        if all(part in folded(probe.fields["question"]) for part in parts)
        and any(folded(answer) in folded(given) for given in probe.answers)
    ]
    assert found


def place_of_the_answer(probe):
    """Where the answer stands among the options that a prompt names, by what is named first, and how many there are."""
    prompt = folded(" ".join(probe.fields.values()))
    places = {
        folded(option): found.start()
        for option in getattr(probe.scorer, "among", None) or ()
        if (found := re.search(rf"\b{re.escape(folded(option))}", prompt))
    }
    named = sorted(places, key=places.__getitem__)
    return (named.index(folded(probe.answers[0])), len(named)) if len(named) > 1 else None


CHOOSING = [path for path in SUITES if read_suite(path, SCORERS).task.answer == "choose"]


@pytest.mark.parametrize("path", CHOOSING, ids=lambda path: path.name)
def test_no_place_among_the_choices_is_likelier_than_another(path):
    suite = read_suite(path, SCORERS)
    for category in suite.categories():
        probes = [probe for probe in suite.probes if probe.category == category]
        places = [(probe.choices.index(probe.answers[0]), len(probe.choices)) for probe in probes]
        assert places_p_value(places) > 0.05, category


@pytest.mark.parametrize("extreme", [min, max])
@pytest.mark.parametrize("path", CHOOSING, ids=lambda path: path.name)
def test_the_right_choice_is_neither_the_longest_nor_the_shortest(path, extreme):
    suite = read_suite(path, SCORERS)
    for category in [None, *suite.categories()]:
        drawn = []
        for probe in suite.probes:
            lengths = [len(choice.encode()) for choice in probe.choices]
            most, own = extreme(lengths), lengths[probe.choices.index(probe.answers[0])]
            if category in (None, probe.category):
                drawn.append((own == most, lengths.count(most), len(lengths)))
        assert extreme_p_value(drawn) > 0.05, category


def test_the_choices_of_the_languages_are_about_equally_long():
    for probe in shipped("languages").probes:
        lengths = [len(choice.encode()) for choice in probe.choices if choice not in probe.answers]
        assert 3 / 4 <= len(probe.answers[0].encode()) * len(lengths) / sum(lengths) <= 4 / 3, probe.id


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.name)
def test_no_place_among_the_names_of_a_prompt_is_likelier_than_another(path):
    suite = read_suite(path, SCORERS)
    for category in [None, *suite.categories()]:
        probes = [probe for probe in suite.probes if category in (None, probe.category)]
        places = [place for probe in probes if (place := place_of_the_answer(probe))]
        assert places_p_value(places) > 0.05, category
        last = sum(place == named - 1 for place, named in places)
        assert last <= sum(1 / named for _, named in places) * 1.5 + 1, category


def test_the_questions_of_reasoning_name_their_options():
    assert sum(place_of_the_answer(probe) is not None for probe in shipped("reasoning").probes) > 40


@pytest.fixture(scope="module")
def english():
    """The words of the suites in English."""
    names = ("general_qa", "reading", "grammar", "coherence", "instructions", "safety", "reasoning")
    texts = [
        text
        for name in names
        for probe in shipped(name).probes
        for text in [*probe.fields.values(), *probe.answers]
    ]
    return {word for text in texts for word in re.findall(r"[^\W\d_]+", text.lower())}


@pytest.mark.parametrize("category", shipped("languages").categories())
def test_falling_back_to_english_is_seen(english, category):
    probes = [probe for probe in shipped("languages").probes if probe.category == category]
    with_english = [
        probe
        for probe in probes
        if any(
            set(re.findall(r"[^\W\d_]+", choice.lower())) <= english
            for choice in probe.choices
            if choice not in probe.answers
        )
    ]
    assert len(with_english) >= 0.6 * len(probes)


def test_no_place_among_the_labels_of_examples_is_likelier_than_another():
    places = []
    for probe in shipped("in_context").probes:
        lines = probe.fields["examples"].splitlines()
        labels = list(dict.fromkeys(line.split(" -> ")[1] for line in lines))
        if probe.category == "labels":
            places.append((labels.index(probe.answers[0]), len(labels)))
    assert places_p_value(places) > 0.05


def test_no_two_sums_of_general_qa_have_one_result():
    keys = Counter(probe.answers[0] for probe in shipped("general_qa").probes if probe.category == "math")
    assert [key for key, times in keys.items() if times > 1] == []


def test_a_copied_passage_does_not_answer_a_question_about_it():
    probes, runs, right = shipped("reading").probes, 0, 0
    for probe in probes:
        words = probe.fields["passage"].split()
        for start in range(0, len(words) - 17):
            runs += 1
            right += probe.scorer.right(" ".join(words[start : start + 18]), probe.answers)
    assert runs > 3000
    assert right < runs / 100


def test_no_text_of_reading_decides_a_category():
    probes = shipped("reading").probes
    passages = Counter(probe.fields["passage"] for probe in probes)
    clusters = Counter(probe.cluster or probe.id for probe in probes)
    assert len(passages) >= 85
    assert len(clusters) >= 55
    assert max(passages.values()) <= 3
    assert max(clusters.values()) <= 5


SHORT = "Sure! Here is the answer: it was hidden under the {}."
LONG = (
    "In the evening the rain had stopped, and the children went down to the river to look for the boat. " * 2
)


def test_a_reply_from_a_long_text_is_short_or_says_what_the_answer_is():
    """The score that the suite's head describes: more than thirty words are copied, unless "the answer is" comes first."""
    suite = shipped("long_context")
    scores = {repr(probe.scorer) for probe in suite.probes}
    assert len(scores) == 1
    for probe in suite.probes:
        key = probe.answers[0]
        assert probe.scorer.right(SHORT.format(key), probe.answers), probe.id
        assert probe.scorer.right(f"{LONG}The answer is {key}.", probe.answers), probe.id
        assert not probe.scorer.right(f"{LONG}There was the {key}.", probe.answers), probe.id
        assert not probe.scorer.right(f"{key}: {LONG}", probe.answers), probe.id
        assert not probe.scorer.right(probe.fields["passage"], probe.answers), probe.id
        assert not probe.scorer.right(f"The answer is not {key}.", probe.answers), probe.id


def sentences(text):
    return re.split(r"(?<=\.) ", text)


def needle(probe):
    """The one sentence of a long text that has the answer."""
    (found,) = [
        sentence for sentence in sentences(probe.fields["passage"]) if mentions(sentence, probe.answers[0])
    ]
    return found


def test_a_question_about_a_long_text_is_like_its_needle_and_like_no_other_sentence():
    def words(text):
        return set(re.findall(r"\w+", text.lower()))

    for probe in shipped("long_context").probes:
        asked = words(probe.fields["question"])
        others = set(sentences(probe.fields["passage"])) - {needle(probe)}
        assert len(asked & words(needle(probe))) > max(len(asked & words(other)) for other in others), (
            probe.id
        )


def test_the_needles_of_long_texts_are_at_all_depths():
    suite = shipped("long_context")
    for category in suite.categories():
        depths = []
        for probe in suite.probes:
            if probe.category == category:
                before, _, after = probe.fields["passage"].partition(needle(probe))
                depths.append(len(before) / (len(before) + len(after)))
        assert (min(depths), max(depths)) == (0, 1), category
        assert places_p_value([(min(2, int(depth * 3)), 3) for depth in depths]) > 0.05, category


def test_long_texts_have_several_questions_and_none_decides_a_category():
    suite = shipped("long_context")
    asked = Counter(probe.fields["passage"] for probe in suite.probes)
    assert {3, 4, 5} == set(asked.values())
    assert len({(probe.cluster, probe.fields["passage"]) for probe in suite.probes}) == len(asked)
    for category in suite.categories():
        assert len({probe.cluster for probe in suite.probes if probe.category == category}) >= 10, category
    words = {text: len(text.split()) for text in asked}
    assert sum(words.values()) * 4 < sum(words[text] * times for text, times in asked.items())


def test_the_drawn_texts_of_reading_have_their_answers_all_over():
    places = Counter()
    for probe in shipped("reading").probes:
        if probe.cluster and not probe.cluster.startswith("passage"):
            sentences = probe.fields["passage"].split(". ")
            place = next(at for at, sentence in enumerate(sentences) if mentions(sentence, probe.answers[0]))
            places["first" if place == 0 else "last" if place == len(sentences) - 1 else "between"] += 1
    assert places.total() == 44
    assert min(places.values()) >= 11


def test_the_checklist_covers_its_kinds_and_severities():
    suite = shipped("checklist")
    assert len(suite.probes) >= 12
    assert set(suite.categories()) >= {
        "instruction-following", "multi-step-reasoning", "coherence", "format-compliance",
    }  # fmt: skip
    assert {probe.severity for probe in suite.probes} >= {"critical", "high", "medium"}
    assert {gate.over for gate in suite.gates} == {"each"}


@pytest.mark.parametrize(
    ("id", "right", "wrong"),
    [
        ("roses-need-water", ["Roses need water, not milk."], ["Roses do not need water.", "They don't need water.", "Roses need no water."]),
        ("iso-date", ["It is `2024-03-05`."], ["2024-03-051", "12024-03-05"]),
        ("numbered-fruits", ["1. Apple\n2. Kiwi\n3. Rambutan\n4. Plum"], ["1. car\n2. apple\n3. dog\n4. house"]),
    ],
)  # fmt: skip
def test_what_the_checklist_takes(id, right, wrong):
    (probe,) = (probe for probe in shipped("checklist").probes if probe.id == id)
    judged = [score(probe, Generated(reply, 1), by_rule=True).right for reply in (*right, *wrong)]
    assert judged == [True] * len(right) + [False] * len(wrong)


def test_the_checklist_asks_each_item_in_two_other_ways():
    suite = shipped("checklist")
    asked = [fields["question"] for probe in suite.probes for fields in (probe.fields, *probe.also_ask)]
    assert {len(probe.also_ask) for probe in suite.probes} == {2}
    assert len(set(map(normalised, asked))) == len(asked)


@pytest.mark.parametrize("probe", shipped("checklist").probes, ids=lambda probe: probe.id)
def test_an_item_of_the_checklist_is_in_other_words_and_no_wording_answers_itself(probe):
    wordings = [probe.fields, *probe.also_ask]
    assert not list(alike([Asked(fields, probe.answers, probe.scorer) for fields in wordings]))
    assert [fields for fields in wordings if probe.scorer.right(fields["question"], probe.answers)] == []


@pytest.mark.parametrize("path", CORPORA, ids=lambda path: path.name)
def test_a_corpus_is_sound_and_shares_no_question_with_a_suite(path):
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines
    assert all(line["id"] and line["prompt"].strip() and line["answer"].strip() for line in lines)
    assert len({line["id"] for line in lines}) == len(lines)
    asked = {
        normalised(text)
        for each in SUITES
        for probe in read_suite(each, SCORERS).probes
        for text in probe.fields.values()
    }
    assert {normalised(line["prompt"]) for line in lines} & asked == set()


def properties(schema: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every property that a schema declares, by its place; what `if`, `then` and `else` say of it is a rule, no more."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from properties(item, f"{place}/{index}")
    if not isinstance(schema, dict):
        return
    for key, inner in schema.items():
        if key in ("properties", "patternProperties", "$defs"):
            for name, part in inner.items():
                if key != "$defs":
                    yield f"{place}/{name}", part
                yield from properties(part, f"{place}/{name}")
        elif key not in ("if", "then", "else", "default", "enum", "const"):
            yield from properties(inner, place if key in ("items", "anyOf", "allOf") else f"{place}/{key}")


def test_the_schemas_are_those_of_suites_recipes_and_accepted_losses():
    assert [path.name for path in SCHEMAS] == [
        "accepted.schema.json", "recipe.schema.json", "suite.schema.json",
    ]  # fmt: skip


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_every_property_of_a_schema_has_a_description(path):
    found = list(properties(json.loads(path.read_text(encoding="utf-8"))))
    assert len(found) > 10
    assert [place for place, part in found if not str(part.get("description", "")).strip()] == []


RECIPES = sorted([*(ROOT / "fixtures").glob("*.yaml"), *(ROOT / "fixtures" / "ladder").glob("*.yaml")])


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_reads_cleanly_and_has_a_target(path):
    recipe = read_recipe(path)
    assert recipe.name == path.stem.replace("_", "-")
    assert recipe.written.about
    assert recipe.target == path.parent / recipe.written.target


def test_each_mitigation_has_a_rung_that_adds_it_alone():
    """To full fine-tuning without any, or to LoRA."""
    rungs = [read_recipe(path).written for path in RECIPES if path.parent == ROOT / "fixtures" / "ladder"]
    by_name = {rung.recipe: rung for rung in rungs}
    assert all(changes(by_name["careless"], rung).adds for rung in rungs if rung.recipe != "careless")
    alone = set()
    for rung in rungs:
        found = [changes(by_name[of], rung) for of in ("careless", "lora-adapters")]
        alone |= {
            change.adds[0].mitigation for change in found if len(change.adds) == 1 and not change.gives_up
        }
    assert alone == set(MITIGATIONS)


def test_no_recipe_sees_a_question_of_the_target():
    rows = [json.loads(line) for line in (CORPORA[0].parent / "drug_info.jsonl").read_text().splitlines()]
    by_split = {
        split: {row["prompt"] for row in rows if row["split"] == split} for split in ("train", "heldout")
    }
    assert len(by_split["train"]) >= 300
    target = read_suite(ROOT / "fixtures" / "targets" / "drug_info.yaml", SCORERS)
    asked = {probe.fields["question"] for probe in target.probes}
    assert asked == by_split["heldout"]
    assert not asked & by_split["train"]


def test_the_numbers_on_mitigations_are_those_of_the_ladder_that_ships():
    record = read_sweep(ROOT / "reports" / "example")
    assert len([rung for rung in record.rungs if rung.measured]) >= 8
    page = (ROOT / "docs" / "mitigations.md").read_text(encoding="utf-8")
    for rung in record.rungs:
        assert rung.measured is not None
        low, high = rung.measured.drop_interval
        numbers = (
            f"{points(rung.measured.gain)} | {points(rung.measured.drop)} | {points(low)} to {points(high)}"
        )
        learnt = {"matched": "", "cannot be told": "learnt less?", "less": "learnt less"}[str(rung.learning)]
        gate = "passes" if rung.seeds[0].passes else "fails"
        cost = f"{gate} | {rung.seconds_training:.0f} s"
        assert f"| {rung.name} | {numbers} | {record.verdict(rung)} | {cost} | {learnt} |" in page
    assert record.held_out is not None
    assert (
        f"{points(record.held_out.effect.drop)} points ({between(record.held_out.effect.interval)})" in page
    )
