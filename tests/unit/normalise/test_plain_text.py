"""An answer as a model writes it in, the text that a reader sees out: each kind of markup, and what only looks like it."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.normalise import alike, answer_of, plain
from harness.normalise.latex import boxed
from harness.normalise.markdown import held_code, with_code, without_markdown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("_Paris_", "Paris"), ("__Paris__", "Paris"), ("*Paris*", "Paris"), ("**Paris**", "Paris"), ("***Paris***", "Paris"),
        ("**D**eoxyribo**N**ucleic **A**cid", "DeoxyriboNucleic Acid"), ("(**Paris**)", "(Paris)"), ("**Paris", "**Paris"),
        ("2*3*4 = 24", "2*3*4 = 24"), ("5 * 7", "5 * 7"), ("2**3", "2**3"), ("snake_case_name", "snake_case_name"),
        ("__init__ and _x_", "__init__ and x"), ("def f(*a, **k): return x*y*z", "def f(*a, **k): return x*y*z"),
        ("**2** + **3** = **5**", "2 + 3 = 5"), ("*a\nb*", "*a\nb*"), (r"\*a\*", "*a*"), ("~~Rome~~Paris", "Paris"),
        ("# Title\ntext", "Title\ntext"), ("## C#", "C#"), ("## A ##", "A"), ("#hash", "#hash"), ("Title\n-----\ntext", "Title\ntext"),
        ("> quoted\n> > twice", "quoted\ntwice"), ("a > b", "a > b"), (">25", ">25"), ("> 25", "25"), ("***\na", "a"), ("[x](http://y)", "x"), ("f[0](x)", "f0"),
        ("![alt](a.png)", "alt"), ("[x]", "[x]"), ("- a\n* b\n+ c\n• d", "a\nb\nc\nd"), ("-5", "-5"), ("1. a\n2. b", "a\nb"),
        ("1) a\n2) b", "a\nb"), ("**1.** a\n**2.** b", "a\nb"), ("**1. a**\n**2. b**", "a\nb"), ("1. Paris", "Paris"),
        ("42. It is", "42. It is"), ("42.", "42."), ("1. It is the first odd number", "1. It is the first odd number"),
        ("2015. It was\n2016. Too", "2015. It was\n2016. Too"), ("3. a\n4. b", "3. a\n4. b"),
        ("| **a** | b |\n|:--|---|\n| 1 | 2 |", "a, b\n1, 2"), ("a | b", "a | b"), ("`x`", "x"), ("``x``", "x"), ("`**`", "**"),
        ("`_a_` _b_", "_a_ b"), ("```python\nx = 2*3*4\n```", "x = 2*3*4"), ("```\n- a\n", "- a\n"), ("~~~\n# a\n~~~", "# a"),
        ("Sure! Here is it: **Paris**", "Sure! Here is it: Paris"), ("", ""),
    ],
)  # fmt: skip
def test_markdown(text, shown):
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("$H_2O$", "H2O"), ("H_2O", "H2O"), (r"$\text{H}_2\text{O}$", "H2O"), (r"\(CO_2\)", "CO2"), (r"\boxed{42}", "42"),
        (r"$\boxed{\text{Paris}}$", "Paris"), (r"$\frac{1}{2}$", "1/2"), (r"\dfrac{3}{4}", "3/4"), (r"2\frac{1}{2}", "2 1/2"),
        ("$9{,}500$", "9,500"), ("11{,}406", "11,406"), (r"$12\,000$", "12 000"), (r"$25\%$", "25%"), ("$90^\\circ$", "90°"),
        ("$10^{3}$", "10^3"), ("$x = -4$", "x = -4"), ("$$5$$", "5"), ("$42$", "42"), (r"6 \times 7", "6 × 7"), (r"\textbf{9}", "9"),
        (r"$13_{10}$", "13"), ("$5 and $6", "$5 and $6"), ("It costs $5.", "It costs $5."), ("$5-$6", "$5-$6"),
        (r"\$5 and \$6", "$5 and $6"), ("C:\\temp\\new", "C:\\temp\\new"), ("{'a': 1}", "{'a': 1}"), ("x_1 + y_2", "x_1 + y_2"),
        ("I have $20 and she has 30$ more", "I have $20 and she has 30$ more"), (r"\boxed{", r"\boxed{"), (r"\unknown{a}", r"\unknown{a}"),
        ("$a$ costs $5", "a costs $5"),
    ],
)  # fmt: skip
def test_latex(text, shown):
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (r"\boxed{42}", "42"), (r"\boxed{1} \boxed{2}", "2"), (r"$\boxed{\frac{1}{2}}$", r"\frac{1}{2}"), (r"\fbox{x}", "x"),
        (r"\boxed{", None), ("boxed", None),
    ],
)  # fmt: skip
def test_the_last_box(text, content):
    assert boxed(text) == content


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("H<sub>2</sub>O", "H2O"), ("10<sup>3</sup>", "10^3"), ("13<sub>10</sub>", "13"), ("a<br>b<br/>c", "a\nb\nc"),
        ('<span style="color: red">x</span>', "x"), ("<td>a</td><td>b</td>", "a, b"), ("&lt;b&gt; &amp; &nbsp;x", "<b> &  x"),
        ("AT&T", "AT&T"), ("a <b and c> d", "a <b and c> d"), ("<title>x</title>", "<title>x</title>"), ("1 < 2 > 0", "1 < 2 > 0"),
    ],
)  # fmt: skip
def test_html(text, shown):
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("twenty‑six", "twenty-six"), ("‒–−", "---"), ("a—b", "a - b"), ("“a” ‘b’ „c“ «d» ‹e› 「f」", "\"a\" 'b' \"c\" \"d\" 'e' \"f\""),
        ("東京。", "東京."), ("a\u200bb\u00ad\ufeff", "ab"), ("–42", "-42"), ("− 42", "-42"), ("5 − 3", "5 - 3"), ("5−3", "5-3"),
        ("m² 10³ Ca²⁺", "m^2 10^3 Ca^2+"), ("H₂O 1101₂", "H2O 1101"), ("2½", "2 1/2"), ("½", "1/2"), ("100ºC ℃", "100°C °C"), ("ｐ１", "p1"),
        ("1\u202f000", "1 000"),
    ],
)  # fmt: skip
def test_characters(text, shown):
    assert alike(text) == shown


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>a</think>b", "b"), ("\n<THINK>\na\n</think>\n\nb", "\n\nb"), ("<think>a", ""), ("a</think>b", "b"), ("<think></think>b", "b"),
        ("<think>a</think><think>b</think>c", "c"), ("<think>a</think>b</think>c", "c"), ("<thinking>a</thinking>b", "b"),
        ("[THINK]a[/THINK]b", "b"), ("◁think▷a◁/think▷b", "b"), ("The tag <think>x</think> marks it", "The tag <think>x</think> marks it"),
        ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b", "b"),
        ("<|channel|>analysis<|message|>a", ""), ("<|channel|>final<|message|>b", "<|channel|>final<|message|>b"), ("<b>x</b>", "<b>x</b>"), ("", ""),
    ],
)  # fmt: skip
def test_reasoning(text, answer):
    assert answer_of(text) == answer
    assert answer_of(answer) == answer


PIECES = st.sampled_from(
    [
        "a",
        "1",
        " ",
        "\n",
        "*",
        "_",
        "`",
        "$",
        "\\",
        "{",
        "}",
        "|",
        "-",
        "#",
        "<",
        ">",
        "<b>",
        "\\boxed{",
        "```\n",
        "</think>",
        "²",
    ]
)


@given(st.lists(PIECES, max_size=20).map("".join))
def test_letters_are_never_lost_or_added(text):
    kept = answer_of(text).replace("<b>", "").replace("boxed", "")
    if "`" not in text and "$" not in text and "\\" not in text:
        assert plain(text).replace("<b>", "").count("a") == kept.count("a")


def test_text_that_needs_no_look_at_its_marks_is_read_alike():
    """Every short text of these characters, which may make lists, rules and numbers."""
    for length in range(6):
        for characters in product("a1 .-\n", repeat=length):
            text = "".join(characters)
            prose, code = held_code(answer_of(text))
            assert plain(text) == alike(with_code(without_markdown(prose), code))
