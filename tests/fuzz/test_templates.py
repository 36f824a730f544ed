"""Whatever stands in a chat template or in one of a task, rendering it gives a text or an error of ours, and comes to an end."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.bounded.jinja import Dialect, TemplateError, TemplateLimitError, render_template, template_uses
from tests.fuzz.inputs import VALUES, damaged, often

CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
TASK = (
    "Question: {{ question }}\n{% for choice in choices %}{{ loop.index }}. {{ choice }}\n{% endfor %}Answer:"
)
PIECES = st.sampled_from([
    "{% for a in range(99999) %}", "{% for b in range(99999) %}", "{% endfor %}", "{% if x is defined %}", "{% endif %}",
    "{% macro f(x) %}{{ f(x) }}{% endmacro %}", "{{ f(1) }}", "{{ 'x' * 99999999 }}", "{{ 9 ** 9 ** 9 }}", "{% set x = x * 2 %}",
    "{{ messages }}", "{{ messages[0]['content'] }}", "{{ raise_exception('no') }}", "{{ strftime_now('%Y') }}",
    "{{ strftime_now('%' * 9999999) }}", "{{ ''.__class__.__mro__ }}", "{{ self.__init__.__globals__ }}", "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}", "{{ [1] | map('x') | list }}", "{{ '%99999999d' % 1 }}", "{{ messages | tojson(indent=99999) }}",
    "{{ namespace(a=1) }}", "{% generation %}", "{{ ('a' * 999) | wordwrap(1) }}", "{# ", "{{", "%}", "\n",
])  # fmt: skip
TEMPLATES = (
    st.sampled_from([CHAT, TASK])
    | damaged(st.sampled_from([CHAT, TASK]))
    | st.builds("".join, st.lists(PIECES, max_size=5))
)


@often
@given(dialect=st.sampled_from(["chat", "task"]), template=TEMPLATES, value=VALUES)
def test_a_template_gives_a_text_or_is_refused(dialect: Dialect, template: str, value: Any) -> None:
    values = {
        "messages": [{"role": "user", "content": value}], "add_generation_prompt": True, "enable_thinking": value,
        "question": value, "choices": [value, "b"],
    }  # fmt: skip
    with suppress(TemplateError, TemplateLimitError):
        text = render_template(dialect, template, values, today="2026-01-01")
        assert "root:" not in text
    with suppress(TemplateError, TemplateLimitError):
        assert isinstance(template_uses(dialect, template).names, frozenset)
