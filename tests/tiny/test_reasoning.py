"""Reasoning, of every family of models: what is taken off an answer, counted and bounded, and what is not."""

from __future__ import annotations

import pytest

from harness.engine.requests import Chat, Generate, Generated, Message, MultipleChoice, Plain
from harness.engine.transformers.marking import marks_of, template_of
from harness.engine.transformers.prompting import Prompting
from harness.engine.transformers.reasoning import DEFAULT_TOKENS, Mark
from harness.engine.transformers.shown import check_shown
from harness.engine.transformers.tokenizing import render
from harness.errors import EngineError, ModelError
from tests.support.thinking import DEEPSEEK, KINDS, PLAIN, QWEN, Kind, prompting, tokenizer

THINK = Mark("<think>", "</think>")
HARMONY = Mark("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>")
WHY = Chat((Message("user", "Why?"),))
OFF = Chat(WHY.messages, (("enable_thinking", "false"),))


def written(speech: Prompting, text: str, request: Generate, context: int | None = None) -> Generated:
    """What comes of an answer when a model writes this text, token by token, and would go on if it could."""
    limits = speech.limits(request, len(speech.tokens(request)), context)
    writing = speech.writing(request, limits)
    for token in speech.encode(text, special=False):
        if not writing.take(token):
            break
    return writing.generated()


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("qwen", THINK), ("smol", THINK), ("smol, special", THINK), ("deepseek", THINK), ("deepseek, spelled", THINK),
        ("harmony", HARMONY), ("magistral", Mark("[THINK]", "[/THINK]")), ("glm", THINK), ("vocabulary", THINK),
    ],
)  # fmt: skip
def test_how_a_model_marks_reasoning_is_found_in_its_template_or_its_vocabulary(name, mark):
    marks = prompting(name).marks
    assert marks.pairs == (mark,)
    assert marks.by_template == (name != "vocabulary")


def test_a_model_that_marks_nothing_has_its_answers_as_they_are():
    speech = prompting("plain")
    text = "<think>Paris?</think>Paris"
    assert not speech.marks
    assert written(speech, f"{text}<|im_end|>", Generate(WHY, 64)) == Generated(text, len(text))


@pytest.mark.parametrize(
    ("template", "mark"),
    [
        ("{{ '<seed:think>' }}", Mark("<seed:think>", "</seed:think>")),
        ("{{ m.content.split('</thought>')[-1] }}", Mark("<thought>", "</thought>")),
        ("<reasoning>", Mark("<reasoning>", "</reasoning>")),
        ("◁think▷", Mark("◁think▷", "◁/think▷")),
        ("<|START_THINKING|>", Mark("<|START_THINKING|>", "<|END_THINKING|>")),
        ("{# <think> #}", None),
        ("<thinker>", None),
        ("<b>", None),
    ],
)
def test_marks_that_stand_in_a_template(template, mark):
    made = tokenizer(Kind(f"{PLAIN}{{%- if messages|length > 9 -%}}{template}{{%- endif -%}}"))
    assert marks_of(made, template_of(made)).pairs == ((mark,) if mark else ())


def test_marks_that_nobody_knew_are_seen_where_the_template_puts_reasoning():
    own = QWEN.replace("</think>", "<|plan_over|>").replace("<think>", "<|plan|>")
    made = tokenizer(Kind(own))
    assert marks_of(made, template_of(made)).pairs == (Mark("<|plan|>", "<|plan_over|>"),)
    begun = own.replace("assistant\\n' }}\n{%- if enable", "assistant\\n<|plan|>\\n' }}\n{%- if enable")
    assert begun != own
    made = tokenizer(Kind(begun, others=("<|plan|>", "<|plan_over|>")))
    assert marks_of(made, template_of(made)).pairs == (Mark("<|plan|>", "<|plan_over|>"),)


def test_marks_that_a_tokenizer_declares():
    made = tokenizer(KINDS["plain"])
    made.response_template = {
        "fields": {"thinking": {"open": ["<muse>", "<ponder>"], "close": "</over>"}, "content": {}}
    }
    assert marks_of(made, template_of(made)).pairs == (Mark("<muse>", "</over>"), Mark("<ponder>", "</over>"))


def test_a_vocabulary_with_half_a_mark_has_none():
    made = tokenizer(Kind(PLAIN, others=("<think>",)))
    assert not marks_of(made, template_of(made))


WRITTEN = {
    "qwen": ("<think>\nIs it?\n</think>\n\nParis<|im_end|>", "<think>\nIs it?\n</think>"),
    "smol": ("<think>\nIs it?\n</think>\nParis<|im_end|>", "<think>\nIs it?\n</think>"),
    "smol, special": ("<think>\nIs it?\n</think>\nParis<|im_end|>", "<think>\nIs it?\n</think>"),
    "deepseek": ("Is it?\n</think>\n\nParis<|im_end|>", "Is it?\n</think>"),
    "deepseek, spelled": ("Is it?\n</think>\n\nParis<|im_end|>", "Is it?\n</think>"),
    "harmony": (
        "<|channel|>analysis<|message|>Is it?<|end|><|start|>assistant<|channel|>final<|message|>Paris<|return|>",
        f"{HARMONY.opens}Is it?{HARMONY.closes}",
    ),
    "magistral": ("[THINK]Is it?[/THINK]Paris<|im_end|>", "[THINK]Is it?[/THINK]"),
    "glm": ("<think>Is it?</think>\nParis<|user|>", "<think>Is it?</think>"),
    "vocabulary": ("<think>Is it?</think>\nParis<|im_end|>", "<think>Is it?</think>"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_reasoning_is_taken_off_kept_and_counted(name):
    text, thought = WRITTEN[name]
    speech = prompting(name)
    answer = written(speech, text, Generate(WHY, 30))
    assert (answer.text, answer.ended) == ("Paris", "turn")
    assert answer.reasoning is not None
    assert (answer.reasoning.text, answer.reasoning.closed) == (thought, True)
    assert answer.reasoning.tokens == len(speech.encode(thought, special=False))
    assert answer.tokens == len("Paris")  # the white space before it is of neither


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "vocabulary"])
def test_reasoning_has_a_limit_of_its_own(name):
    text, _ = WRITTEN[name]
    speech = prompting(name)
    assert written(speech, text, Generate(WHY, 5)).text == "Paris"
    assert written(speech, text, Generate(WHY, 3)).ended == "limit"
    long = text.replace("Is it?", "Is it? " * 100)
    assert written(speech, long, Generate(WHY, 5)).text == "Paris"
    cut = written(speech, long, Generate(WHY, 5, thinking_tokens=40))
    assert (cut.text, cut.tokens, cut.ended) == ("", 0, "limit")
    assert cut.reasoning is not None
    assert (cut.reasoning.tokens, cut.reasoning.closed) == (40, False)
    assert "Is it?" in cut.reasoning.text


@pytest.mark.parametrize("name", ["vocabulary", "deepseek"])
def test_an_answer_of_the_shortest_length_is_whole(name):
    text, _ = WRITTEN[name]
    answer = written(
        prompting(name), text.replace("Paris", "P"), Generate(WHY, 30 if name == "vocabulary" else 1)
    )
    assert answer.text == "P"


def test_without_an_expectation_of_reasoning_it_shares_the_answers_limit():
    text, _ = WRITTEN["vocabulary"]
    speech = prompting("vocabulary")
    assert written(speech, text, Generate(WHY, 9)).ended == "limit"
    assert written(speech, text, Generate(WHY, 9, thinking_tokens=30)).text == "Paris"
    assert speech.limits(Generate(WHY, 9), 20, None).whole == 9
    assert prompting("qwen").limits(Generate(OFF, 9), 20, None).whole == 9
    assert prompting("qwen").limits(Generate(Plain("Why?"), 9), 20, None).whole == 9
    assert prompting("qwen").limits(Generate(WHY, 9), 20, None).whole == 9 + DEFAULT_TOKENS


def test_the_default_room_for_reasoning_is_that_of_the_model():
    speech = prompting("qwen")
    assert speech.limits(Generate(WHY, 9), 20, 100).whole == 80
    assert speech.limits(Generate(WHY, 9), 95, 100).whole == 9  # said to be too long by whom it concerns


@pytest.mark.parametrize(
    ("text", "answer", "reasoning", "closed"),
    [
        (
            "<think>a</think>Paris<think>b</think> it is",
            "Paris it is",
            "<think>a</think><think>b</think>",
            True,
        ),
        ("<think>a<think>b</think>Paris", "Paris", "<think>a<think>b</think>", True),
        ("<think>a<think>b</think>c</think>Paris", "Paris", "<think>a<think>b</think>c</think>", True),
        ("so it is</think>Paris", "Paris", "so it is</think>", True),
        ("<think></think>Paris", "Paris", "<think></think>", True),
        ("Paris<think>or", "Paris", "<think>or", False),
        ("<think>or", "", "<think>or", False),
        ("<think>or</think>", "", "<think>or</think>", True),
        ("Paris < think > 2", "Paris < think > 2", None, True),
    ],
)
@pytest.mark.parametrize("name", ["qwen", "smol, special"])
def test_blocks_that_come_again_nest_or_do_not_end(name, text, answer, reasoning, closed):
    given = written(prompting(name), f"{text}<|im_end|>", Generate(WHY, 60))
    assert (given.text, given.ended) == (answer, "turn")
    found = given.reasoning
    assert (found and found.text, found is None or found.closed) == (reasoning, closed)


@pytest.mark.parametrize("name", ["qwen", "smol, special", "deepseek", "deepseek, spelled"])
def test_a_stop_text_ends_no_reasoning_nor_the_space_after_it(name):
    opens = "" if "deepseek" in name else "<think>\n"
    text = f"{opens}1.\n\n2. Is it?\n</think>\n\nParis\n\nRome<|im_end|>"
    given = written(prompting(name), text, Generate(WHY, 60, ("\n\n", "?")))
    assert (given.text, given.ended) == ("Paris", "stop")


def test_a_stop_that_is_a_token_ends_no_reasoning():
    given = written(
        prompting("qwen"),
        "<think>a<|im_start|>b</think>Paris<|im_start|>",
        Generate(WHY, 60, ("<|im_start|>",)),
    )
    assert (given.text, given.ended) == ("Paris", "stop")


def test_a_channel_without_reasoning_is_an_answer():
    speech = prompting("harmony")
    given = written(speech, "<|channel|>final<|message|>Paris<|return|>", Generate(WHY, 8))
    assert (given.text, given.ended, given.reasoning) == ("Paris", "turn", None)
    twice = f"{HARMONY.opens}a<|end|><|start|>assistant{HARMONY.opens}b{HARMONY.closes}Paris<|return|>"
    given = written(speech, twice, Generate(WHY, 8))
    assert (given.text, given.ended) == ("Paris", "turn")


def test_a_question_about_a_mark_opens_nothing():
    speech = prompting("qwen")
    asked = Chat((Message("user", "What does this mean: <think>"),))
    assert speech.inside(asked) is None
    assert written(speech, "A mark.<|im_end|>", Generate(asked, 20)).text == "A mark."
    assert speech.inside(Plain("Why? <think>\n")) == THINK


def test_a_template_may_begin_the_reasoning_in_words():
    made = tokenizer(Kind(DEEPSEEK.replace("<think>\\n", "<think>\\nOkay, "), ("<User>", "<Assistant>")))
    speech = Prompting(made, "m", [made.eos_token_id])
    assert speech.render(WHY).endswith("<think>\nOkay, ")
    assert speech.inside(WHY) == THINK
    assert written(speech, "so it is.</think>Paris<|im_end|>", Generate(WHY, 8)).text == "Paris"


# Choices


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("qwen", "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        ("smol", "<|im_start|>assistant\n<think>\n\n</think>\n"),
        ("glm", "<|assistant|>\n<think></think>\n"),
        ("deepseek", "<Assistant><think>\n\n</think>\n\n"),
        ("harmony", "<|start|>assistant<|channel|>final<|message|>"),
        ("plain", "<|im_start|>assistant\n"),
    ],
)
def test_choices_are_scored_after_reasoning(name, ends):
    speech = prompting(name)
    request = MultipleChoice(WHY, ("Paris", "Rome"))
    assert speech.shown(request).endswith(ends)
    context, choice = speech.continuation(request, "Paris")
    assert speech.decode([*context, *choice]).endswith(f"{ends}Paris")
    check_shown(speech, [request], embeddings=10**6)


def test_who_gives_the_argument_is_heard_for_choices_too():
    thinking = Chat(WHY.messages, (("enable_thinking", "true"),))
    assert prompting("qwen").shown(MultipleChoice(thinking, ("a", "b"))).endswith("<|im_start|>assistant\n")


# Templates


@pytest.mark.parametrize("name", KINDS)
def test_chats_are_rendered_as_transformers_renders_them(name):
    made = tokenizer(KINDS[name])
    turns = [
        {"role": "user", "content": "Hi {{ x }}"},
        {"role": "assistant", "content": "<think>é</think>\nHello"},
        {"role": "user", "content": "\ud83d <b>&"},
    ]
    for answer_follows in (True, False):
        for given in ({}, {"enable_thinking": False}):
            ours = render(made, turns, answer_follows, tuple((key, "false") for key in given))
            theirs = made.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=answer_follows, **given
            )
            assert ours == theirs


def test_values_filters_and_functions_are_those_of_transformers():
    made = tokenizer(Kind(
        "{{ messages | tojson }}{{ [1, {'a': '<é>'}] | tojson(indent=2) }}{{ eos_token }}{{ tools }}{{ documents is none }}\n"
        "  {% for i in range(3) %}\n{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}\n"
        "{% set ns = namespace(a=1) %}{% set ns.a = dict(b=2) %}{{ ns.a.b }}{{ missing }}{{ 'a' 'b' | upper }}"
    ))  # fmt: skip
    turns = [{"role": "user", "content": "Hi"}]
    assert render(made, turns) == made.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)


def test_dates_are_those_of_one_day_in_whatever_form():
    made = tokenizer(
        Kind("{% set form = '%d %b' %}{{ strftime_now(form + ' %Y') }} {{ strftime_now(\"%A\") }}")
    )
    assert render(made, [{"role": "user", "content": "Hi"}]) == "01 Jan 2026 Thursday"


NESTED = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
DOUBLED = "{% set ns = namespace(x='x') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}"
SHARED = "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (NESTED, "does not finish: it was stopped after 1 s"),
        (SHARED, "does not finish: it was stopped after 1 s"),
        (DOUBLED, "takes more than 512 MB of memory"),
        ("{{ 'x' * 8000000000 }}", "takes more than 512 MB of memory"),
        ("{{ '%9999999999d' | format(1) }}", "takes more than 512 MB of memory"),
        (
            "{% for i in range(2000) %}{{ 'x' * 10000 }}{% endfor %}",
            "renders 20,000,000 characters, more than the limit of 10,000,000",
        ),
        ("x" * 1_000_001, "has 1,000,001 characters, more than the limit of 1,000,000"),
    ],
    ids=["nested", "shared", "doubled", "large", "padded", "long", "template"],
)
def test_a_template_that_takes_too_much_is_refused_with_the_name_of_its_model(template, message):
    made = tokenizer(Kind(template))
    with pytest.raises(ModelError, match=f"^hostile: its chat template {message}"):
        Prompting(made, "hostile", [0])
    assert render(tokenizer(KINDS["plain"]), [{"role": "user", "content": "Hi"}])  # others go on


def test_a_template_may_take_too_much_for_one_chat_alone():
    made = tokenizer(Kind(f"{{% if 'loop' in messages[0].content %}}{NESTED}{{% endif %}}{PLAIN}"))
    speech = Prompting(made, "hostile", [0])
    assert speech.render(WHY)
    with pytest.raises(ModelError, match="hostile: its chat template does not finish"):
        speech.render(Chat((Message("user", "loop"),)))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% macro f(n) %}{{ f(n + 1) }}{{ f(n) }}{% endmacro %}{{ f(0) }}", "recursion"),
        ("{{ raise_exception('Only one turn.') }}", "Only one turn."),
        ("{% for %}", "Expected an expression"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "recursion"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
    ],
)
def test_a_template_that_gives_no_text_is_refused_in_its_words(template, message):
    made = tokenizer(Kind(template))
    with pytest.raises(EngineError, match=message):
        Prompting(made, "odd", [0]).render(WHY)
