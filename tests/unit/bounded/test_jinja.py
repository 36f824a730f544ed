"""Templates of others: rendered in a process of their own, which is bounded, ended and started again."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.bounded.jinja import TemplateError, TemplateLimitError, render_template, template_uses

LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"


def test_a_template_is_filled_with_what_json_knows():
    values = {"text": "é\ud83d\n", "n": 10**30, "f": 0.1, "listed": [None, True], "other": {1, 2}}
    assert render_template("task", "{{ text }}{{ n + 1 }} {{ f }} {{ listed }} {{ other }}\n", values) == (
        "é\ud83d\n1000000000000000000000000000001 0.1 [None, True] {1, 2}\n"
    )


def test_what_stands_in_a_template():
    uses = template_uses(
        "chat", "{# a #}b{% if thinking is defined %}{{ 'c' ~ d }}{% set e = 1 %}{{ e }}{% endif %}"
    )
    assert {"thinking", "d"} <= uses.names
    assert uses.texts == ("b", "c")


def test_after_a_template_that_was_ended_others_are_rendered():
    assert render_template("chat", "a", {}) == "a"
    with pytest.raises(TemplateLimitError, match="does not finish"):
        render_template("chat", LOOP, {})
    with pytest.raises(TemplateLimitError, match="512 MB"):
        render_template("chat", "{{ 'x' * n }}", {"n": 10**10})
    assert render_template("chat", "b", {}) == "b"


def test_many_slow_templates_take_no_more_than_one():
    slow = "{% for i in range(60000) %}{% for j in range(9) %}{% endfor %}{% endfor %}"
    with pytest.raises(TemplateLimitError):
        all(render_template("chat", slow, {}) == "" for _ in range(300))


def test_threads_do_not_get_each_others_texts():
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda n: render_template("chat", "{{ n }}", {"n": n}), range(200)))
    assert texts == [str(n) for n in range(200)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_has_a_process_of_its_own():
    code = (
        "import os\n"
        "from harness.bounded.jinja import render_template\n"
        "assert render_template('chat', '1', {}) == '1'\n"
        "child = os.fork()\n"
        "assert [render_template('chat', '{{ n }}', {'n': n}) for n in range(50)] == [str(n) for n in range(50)]\n"
        "if child:\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    assert render_template('chat', '2', {}) == '2'\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (LOOP, "does not finish"),
        ("{{ text | regex_replace('(x+x+)+y', '') }}", "does not finish"),
        ("{{ text * 1000000000 }}", "takes more than 512 MB"),
        ("{{ missing }}", "'missing' is undefined"),
    ],
)
def test_templates_of_tasks_are_bounded_too(template, message):
    with pytest.raises((TemplateError, TemplateLimitError), match=message):
        render_template("task", template, {"text": "x" * 40})


def test_an_error_is_no_longer_than_a_person_reads():
    with pytest.raises(TemplateError) as error:
        render_template("chat", "{{ raise_exception('x' * 1000000) }}", {})
    assert len(str(error.value)) == 1000
