"""Files as hypothesis writes them: good ones, good ones with something broken, and hostile ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

Place = tuple[str | int, ...]

often = settings(
    max_examples=settings().max_examples if settings.get_current_profile_name() == "fuzz" else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
"""For seconds among the other tests, for as long as its profile says under `make fuzz`."""

NASTY = [
    "", " ", "\t", "\n", "\0", "\x1b[31m", "\x1b]52;c;YQ==\x07", "\x9b2J", "\u202e", "\u2066", "\u2028", "\ufeff", "\U000e0041",
    "{", "}", "{}", "{0}", "{question}", "{question!r}", "{question:1000000000}", "{a.__class__}", "{a[0]}", "%s", "{{", "{%",
    "{{ 7 * 7 }}", "'", '"', "`", "\\", "no", "null", "~", "NaN", ".inf", "-.inf", "1e999", "0x10", "1_000", "9" * 500,
    "- ", ": ", " # ", "&a", "*a", "<<", "!!python/object:os.system", "!x", "|", ">", "---", "...", "[", "]", "[[[[", "{a: {a: ",
    "(a+)+$", "(?P<", "\\d{1000}{1000}", "(?=", "../../etc/passwd", "/etc/passwd", "/dev/zero", "file:///etc/passwd", "~",
    "<script>", "]]>", "&amp;", "a" * 3_000, "\N{ZERO WIDTH JOINER}", "e\u0301" * 50, "\N{ARABIC LETTER ALEF}", "=cmd()", "-x",
]  # fmt: skip
"""Text that broke some reader once, in this project or another."""

WORDS = st.sampled_from(["Paris", "red", "7", "the capital", "Why?", "a b", "déjà vu", "東京", "1.50"])
TEXTS = WORDS | st.sampled_from(NASTY) | st.text(max_size=12)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.sampled_from([0, 1, -1, 2**63, 10**400])
    | st.floats()
    | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "answer", "file", "n", "x"]) | TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """The way to every value inside a document, its own included."""
    yield place
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from places(inner, (*place, step))


@st.composite
def broken(draw: st.DrawFn, good: st.SearchStrategy[Any]) -> Any:
    """A good document in which up to three values or keys were replaced, removed or added."""
    document = copy.deepcopy(draw(good))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(places(document))))
        if not place:
            continue
        holder = document
        for step in place[:-1]:
            holder = holder[step]
        _break(draw, holder, place[-1])
    return document


def _break(draw: st.DrawFn, holder: Any, step: str | int) -> None:
    how = draw(st.sampled_from(["replace", "replace", "remove", "add", "twice"]))
    if how == "remove":
        del holder[step]
    elif how == "add" and isinstance(holder, dict):
        holder[draw(TEXTS)] = draw(VALUES)
    elif how == "twice" and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[step]))
    else:
        holder[step] = draw(VALUES)


@st.composite
def written(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> str:
    """A document as YAML in either style, or as JSON, which YAML reads as well."""
    document = draw(documents)
    if draw(st.booleans()):
        return json.dumps(document, ensure_ascii=draw(st.booleans()))
    dumped: str = yaml.safe_dump(
        document, allow_unicode=draw(st.booleans()), default_flow_style=draw(st.booleans()), sort_keys=False
    )
    return dumped


def as_json(documents: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    """A document as JSON, half surrogates raw or escaped."""
    return st.builds(
        lambda document, ascii_only: json.dumps(document, ensure_ascii=ascii_only), documents, st.booleans()
    )


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text with a piece cut out of it and something nasty put in its place."""
    text = draw(texts)
    start = draw(st.integers(0, len(text)))
    end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 2, 10, 1000])))
    return text[:start] + draw(st.sampled_from(NASTY) | st.text(max_size=3)) + text[end:]


def data(text: str) -> bytes:
    """A text as a file holds it; half surrogates as a careless writer leaves them."""
    return text.encode("utf-8", "surrogatepass")


GATES = [
    {"over": "all", "max_drop": 0.1, "on_inconclusive": "confirmed"},
    {"over": "category", "max_drop": 0.2, "max_loss": 0.5, "on_inconclusive": "pass"},
    {"over": "each"},
]
FORMS: list[Any] = [
    {"check": {"min_words": 2, "not": {"contains": "|"}}},
    {"json_schema": {"type": "object"}},
    "json",
]
"""Scores under which a probe has no answer."""

SCORES: list[Any] = ["contains", "mentions", "equals", "regex", {"number": {"tolerance": 0.1}}, *FORMS]


@st.composite
def suites(draw: st.DrawFn) -> dict[str, Any]:
    """A suite that is nearly always right; `broken` sees to the rest."""
    score = draw(st.sampled_from(SCORES))
    shaped = score in FORMS
    probes: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        probe: dict[str, Any] = {
            "id": f"p{number}",
            "category": draw(st.sampled_from(["a", "b"])),
            "question": draw(WORDS),
        }
        if not shaped:
            probe["answer"] = (
                "7" if isinstance(score, dict) else draw(WORDS | st.lists(WORDS, min_size=1, max_size=2))
            )
        if draw(st.booleans()):
            probe |= {"cluster": draw(st.sampled_from(["c", "d"])), "also_ask": [f"{number} in other words"]}
        probes.append(probe)
    suite: dict[str, Any] = {
        "suite": "s", "about": draw(WORDS), "severity": draw(st.sampled_from(["critical", "low"])),
        "task": {"prompt": "Say {question}", "max_new_tokens": 8, "stop": ["\n"]}, "score": score,
        "gates": draw(st.lists(st.sampled_from(GATES), min_size=1, max_size=3, unique_by=lambda gate: gate["over"])),
        "probes": probes,
    }  # fmt: skip
    if draw(st.booleans()) and not shaped:
        suite["generators"] = [
            {
                "count": draw(st.integers(1, 3)), "seed": 1,
                "draw": {"a": {"whole": [1, 9]}, "b": {"choice": ["x", "y"]}, "c": {"filler": 9}},
                "probe": {"id": "g-{n}", "question": "{a + 1} and {b}", "answer": "{a}", "category": "a"},
                "probes": draw(st.sampled_from([[], [{"category": "b"}, {"id": "h-{n}", "question": "{c} {a}"}]])),
            }
        ]  # fmt: skip
    return suite


RECIPE: dict[str, Any] = {
    "recipe": "careless", "about": "Trains.", "base": "embedded", "corpus": {"file": "corpus.jsonl", "limit": 2},
    "method": {"lora": {"r": 4, "target_modules": ["q_proj"]}}, "learning_rate": 1e-4, "epochs": 1, "batch": 2,
    "replay": {"file": "corpus.jsonl", "fraction": 0.5}, "ewc": {"file": "corpus.jsonl", "importance": 10.0},
    "distill": {"file": "corpus.jsonl"}, "seed": 3, "stm": {"threshold": 4}, "finch": {"smoothing": 0.5}, "oplora": 2,
}  # fmt: skip


@st.composite
def recipes(draw: st.DrawFn) -> dict[str, Any]:
    """A recipe with some of its parts."""
    gone = draw(
        st.sets(st.sampled_from(["replay", "ewc", "distill", "seed", "about", "stm", "finch", "oplora"]))
    )
    return {key: value for key, value in copy.deepcopy(RECIPE).items() if key not in gone}


CARD = "---\nlicense: mit\nbase_model: base\ntags: [a, b]\n---\n# Tuned\n\nOn lamps.\n"
ADAPTER: dict[str, Any] = {
    "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "base", "r": 4, "lora_alpha": 8,
    "target_modules": ["q_proj"], "bias": "none", "modules_to_save": None, "inference_mode": True,
}  # fmt: skip

RECORD: dict[str, Any] = {
    "version": 1,
    "run": {
        "harness": "0.1.0", "started": "2026-01-01T10:00:00+00:00", "status": "finished", "seconds": 1.5, "command": ["pytest"],
        "exit_status": 0, "errors": [], "baseline": {"reference": "base", "name": "base", "weights": "ab" * 32},
        "versions": {"torch": "2.13.0"}, "strict": False, "fail_on": "low", "notes": [],
    },
    "gates": [
        {
            "suite": "s", "slice": "all", "over": "all", "severity": "high", "place": "s.yaml:2:1", "n": 30, "kept": 20, "lost": 3,
            "gained": 2, "missed": 5, "baseline_accuracy": 0.75, "tuned_accuracy": 0.73, "drop": 0.02, "interval": [-0.05, 0.1],
            "mid_p": 0.6, "max_drop": 0.1, "verdict": "RETAINED", "outcome": "passed", "holm_mid_p": 0.6, "tests": 1,
            "loss": [-0.02, 0.2], "max_loss": 0.35, "clusters": 12, "design_effect": 1.5, "on_inconclusive": "confirmed",
        }
    ],
    "probes": [
        {
            "suite": "s", "id": "a", "category": None, "severity": "high", "fields": {"question": "Why?"}, "expected": ["b"],
            "score": "mentions", "baseline": {"answer": "b", "right": True}, "tuned": {"answer": "c", "right": False},
            "change": "lost", "cluster": "c",
            "again": [
                {
                    "fields": {"question": "How come?"}, "baseline": {"answer": "b", "right": True},
                    "tuned": {"answer": "b", "right": True},
                }
            ],
        }
    ],
}  # fmt: skip

EVALUATION: dict[str, Any] = {
    "correct": 2, "total": 3, "overall_accuracy": 2 / 3, "by_category": {"a": {"correct": 2, "total": 3, "accuracy": 2 / 3}},
    "evaluation_id": "x", "right": {"p0": True, "p1": True, "p2": False},
    "asked": {"fingerprint": "f", "questions": {"p0": "0", "p1": "1", "p2": "2"}}, "model": {"label": "tuned"},
}  # fmt: skip
QUESTION: dict[str, Any] = {
    "id": "q",
    "question": "What is it?",
    "answer": ["a lamp", "lamp"],
    "category": "things",
}
