"""Parts of models by the names of modules, and groups of them."""

from __future__ import annotations

import pytest

from harness.blame.groups import Group, named
from harness.training.edits.parts import OUTSIDE, Part, parts_of

LLAMA = [
    "model.embed_tokens.weight",
    *(f"model.layers.{n}.{kind}.weight" for n in range(12) for kind in ("self_attn.q_proj", "mlp.down_proj")),
    "model.norm.weight",
    "lm_head.weight",
]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("model.layers.11.mlp.down_proj.weight", Part(11, "mlp.down_proj")),
        ("model.layers.2.self_attn.q_proj.weight", Part(2, "self_attn.q_proj")),
        ("model.norm.weight", Part(OUTSIDE, "norm")),
        ("lm_head.weight", Part(OUTSIDE, "lm_head")),
    ],
)
def test_the_part_of_a_parameter(name, part):
    assert parts_of(LLAMA)[name] == part


def test_the_names_of_peft_say_the_same():
    names = [
        "base_model.model.model.layers.0.self_attn.q_proj",
        "base_model.model.model.layers.1.self_attn.q_proj",
        "base_model.model.lm_head",
    ]
    assert list(parts_of(names).values()) == [
        Part(0, "self_attn.q_proj"), Part(1, "self_attn.q_proj"), Part(OUTSIDE, "lm_head"),
    ]  # fmt: skip


def test_experts_are_one_kind_and_other_numbers_no_layers():
    names = [f"transformer.h.{n}.mlp.experts.{k}.w1.weight" for n in range(3) for k in range(2)]
    parts = parts_of([*names, "vision.0.proj.weight"])
    assert set(parts.values()) == {
        *(Part(n, "mlp.experts.*.w1") for n in range(3)), Part(OUTSIDE, "vision.*.proj"),
    }  # fmt: skip


def halved(group: Group, whole: Group) -> list[str]:
    return [named(half, whole) for half in group.halves()]


def test_layers_are_halved_down_to_one_and_that_by_its_modules():
    whole = Group(tuple(sorted(set(parts_of(LLAMA).values()), key=lambda part: part.layer)), "layers")
    inside, outside = whole.halves()
    assert (named(whole, whole), halved(whole, whole)[0]) == ("everything", "layers 0-11")
    assert set(outside.modules) == {"embed_tokens", "norm", "lm_head"}
    assert halved(inside, whole) == ["layers 0-5", "layers 6-11"]
    third = inside.halves()[0].halves()[0]
    assert halved(third, whole) == ["layers 0-1", "layer 2"]
    last = third.halves()[1]
    assert sorted(halved(last, whole)) == ["layer 2 (down_proj)", "layer 2 (q_proj)"]
    assert [half.halves() for half in last.halves()] == [(), ()]


def test_kinds_of_module_are_halved_across_all_layers():
    whole = Group(tuple(Part(n, kind) for n in range(4) for kind in ("a.x", "b.x", "c.y")), "modules")
    first, second = whole.halves()
    assert (named(first, whole), named(second, whole)) == ("a.x, b.x", "y")
    assert (second.layers, second.halves()) == ((0, 1, 2, 3), ())


@pytest.mark.parametrize("axis", ["layers", "modules"])
def test_halves_make_up_their_group(axis):
    parts = tuple(set(parts_of(LLAMA).values()))
    waiting = [Group(parts, axis)]
    while waiting:
        group = waiting.pop()
        halves = group.halves()
        if halves:
            assert sorted(part for half in halves for part in half.parts) == sorted(group.parts)
            assert all(half.parts for half in halves)
        waiting += halves
