"""The parts of a text, and which of its code is the answer; test_python runs it."""

from __future__ import annotations

import ast
import time

import pytest

from harness.scoring.code_blocks import Block, blocks, spans
from harness.scoring.python import code_of, names_in

ADD = "def add(a, b):\n    return a + b"
WRONG = "def add(a, b):\n    return a - b"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("a\n\nb", [Block("a\n\nb")]),
        ("a\n```\nb\n```\nc", [Block("a"), Block("b\n", ""), Block("c")]),
        ("```Python\nb\n```", [Block("b\n", "python")]),
        ("``` {.python .numbers}\nb\n```", [Block("b\n", "python")]),
        ('```py title="a b"\nb\n```', [Block("b\n", "py")]),
        ("~~~ruby\nb\n~~~~", [Block("b\n", "ruby")]),
        ("~~~\n```\n~~~", [Block("```\n", "")]),
        ("````\n```\nb\n```\n````", [Block("```\nb\n```\n", "")]),
        ("```\nb", [Block("b", "", closed=False)]),
        ("```\nb\n```python\nc\n```", [Block("b\n", ""), Block("c\n", "python")]),
        ("```\nb```\nc", [Block("b\n", ""), Block("c")]),
        ("- ```\n  b\n  ```\nc", [Block("b\n", ""), Block("c")]),
        ("12. ~~~\n    b\n    ~~~", [Block("b\n", "")]),
        ("```\r\nb\r\n```\r\n", [Block("b\n", "")]),
        ("```x``` is code\n`y`", [Block("```x``` is code\n`y`")]),
        ("a\n```", [Block("a"), Block("", "", closed=False)]),
    ],
)  # fmt: skip
def test_the_parts_of_a_text(text, parts):
    assert blocks(text) == parts


@pytest.mark.parametrize(
    ("text", "inline"),
    [("`a` and `b c`", ["a", "b c"]), ("``a`b``", []), ("`a\nb`", []), ("no `code", [])],
)
def test_inline_code(text, inline):
    assert list(spans(text)) == inline


@pytest.mark.parametrize(
    ("tests", "names"),
    [
        (["assert add(1, 2) == 3"], ["add"]),
        (["assert sorted(f(x) for x in [1])", "y = g()", "assert y"], ["f", "g"]),
        (["import math", "assert math.isclose(root(2), 1.4, abs_tol=tol)"], ["root", "tol"]),
        (["from math import pi as p", "assert area(1) == p"], ["area"]),
        (["assert len('a') == 1"], []),
        (["def check(n, *more):\n    assert f(n, more)\ncheck(1)\nassert check"], ["f"]),
        (["try:\n    half(3)\nexcept ValueError as e:\n    pass\nelse:\n    raise AssertionError"], ["half"]),
        (["stack = Stack()\nstack.push(1)\nassert stack.pop() == 1"], ["Stack"]),
    ],
)
def test_the_names_that_tests_use(tests, names):
    assert names_in(tests) == names


def defines(text: str, *wanted: str) -> list[str]:
    """The functions, classes, imports and assignments of an answer's code, in order."""
    body = ast.parse(code_of(text, wanted or ("add",))).body
    return [ast.unparse(step) for step in body]


SAME = [ast.unparse(ast.parse(ADD))]


@pytest.mark.parametrize(
    "text",
    [
        ADD,
        f"Sure! Here it is:\n\n{ADD}\n\nThis function adds two numbers. It's short.",
        f"Here is the function:\n{ADD}\nThis returns the sum (of both",
        f"{ADD}\nExplanation\n",
        f"python\n{ADD}\n```\nThat's all.",
        "The code:\n\n" + "".join(f"    {line}\n" for line in ADD.split("\n")) + "\nIt adds.",
        "1. Write this:\n\n" + "".join(f"\t{line}\n" for line in ADD.split("\n")) + "2. Run it.",
        f"```bash\npip install numpy\n```\n```python\n{ADD}\n```",
        f"```text\nadd = a + b\n```\n```py\n{ADD}\n```",
        f"```\nadd(a, b)\n```\n```\n{ADD}\n```",
        f"~~~python3\n{ADD}\n~~~",
        f"```Python3\n{ADD}\n```",
        f"```java\n{ADD}\n```",
        f"```python\n{WRONG}\n```\nThat subtracts. Correctly:\n```python\n{ADD}\n```",
        f"```javascript\nadd = 1\n```\n```python\n{ADD}\n```\n```ruby\nadd = 2\n```",
        f"{WRONG}\n\n```python\n{ADD}\n```\n\nor `add = min`",
        f"```python\n{ADD}\n```\n```python\n{WRONG}\n",
        f"```python\n{ADD}",
        f"```python\n{ADD}\n```\nIts signature:\n```python\ndef add(a: int, b: int) -> int: ...\n```",
        f"{ADD}\n\nYou began with:\n\n```python\ndef add(a, b):\n    'Add.'\n    pass\n```",
        f"```python\n{ADD}\n\nprint(add(1,",
        f"```python\n{ADD}\n```\nFor example:\n```python\nprint(add(1, 2))  # 3\n```\n```\n3\n```",
        "```python\n>>> def add(a, b):\n...     return a + b\n...\n>>> add(1, 2)\n3\n>>> add('', 1)\nTraceback: no\n```",
        ">>> def add(a, b):\n...     return a + b\n\n>>> add(1, 2)\n3",
        f"```python\n{ADD}\n\n>>> add(1, 2)\n3\n```",
        f"```python\n{ADD}\n```\n```pycon\n>>> add(1, 2)\n3\n```",
        f"```python\n{ADD}\n\na = int(input())\nprint(add(a, 1))\n```",
        f"```python\n{ADD}\n```\n\nUser: Subtract them.\nAssistant:\n```python\n{WRONG}\n```",
    ],
)
def test_the_code_that_defines_what_the_tests_use(text):
    assert defines(text) == SAME


def test_one_line_is_enough():
    assert defines("Use `add = lambda a, b: a + b` or `sum`.") == ["add = lambda a, b: a + b"]


def test_an_example_stays_with_its_function():
    assert defines(f"```\n{ADD}\n\nprint(add(1, 2))\n```") == [*SAME, "print(add(1, 2))"]


@pytest.mark.parametrize(
    ("text", "wanted", "code"),
    [
        # what the chosen piece needs comes from the others: before it, else after it, and nothing else does
        ("```\nimport math\n```\n```\nimport numpy\n```\n```\ndef f(x):\n    return math.sqrt(x)\n```", ["f"],
         ["import math", "def f(x):\n    return math.sqrt(x)"]),
        ("```\ndef f(x):\n    return g(x)\n```\n```\nk = 2\n\ndef g(x):\n    return h(x) * k\n```\n```\ndef h(x):\n    return x\n```", ["f"],
         ["def h(x):\n    return x", "k = 2", "def g(x):\n    return h(x) * k", "def f(x):\n    return g(x)"]),
        ("```\ndef g():\n    return 1\n```\n```\ndef g():\n    return 2\n```\n```\ndef f():\n    return g()\n```", ["f"],
         ["def g():\n    return 2", "def f():\n    return g()"]),
        ("```\ndef f():\n    return 1\n```\nand\n```\ndef g():\n    return 2\n```", ["f", "g"],
         ["def f():\n    return 1", "def g():\n    return 2"]),
        ("def f():\n    return 1\n\nNow the other one:\n\ndef g():\n    return 2\n", ["f", "g"],
         ["def f():\n    return 1", "def g():\n    return 2"]),
        # a method of one class
        ("class A:\n    def f(self, x):\n        return x\n", ["f"], ["class A:\n\n    def f(self, x):\n        return x", "f = A().f"]),
        ("class A:\n    @staticmethod\n    def f(x):\n        return x\n", ["f"],
         ["class A:\n\n    @staticmethod\n    def f(x):\n        return x", "f = A().f"]),
        ("class A:\n    def f(x):\n        return x\n", ["f"], ["class A:\n\n    def f(x):\n        return x"]),
        ("```\nclass A:\n    def f(self):\n        pass\n\nclass B:\n    def f(self):\n        pass\n```", ["f"],
         ["class A:\n\n    def f(self):\n        pass", "class B:\n\n    def f(self):\n        pass"]),
        ("```\nclass A:\n    def f(self):\n        pass\n\ndef f():\n    return 1\n```", ["f"],
         ["class A:\n\n    def f(self):\n        pass", "def f():\n    return 1"]),
        # questions that nobody answers
        ("```\ndef f():\n    return 1\n\ndef main():\n    print(input())\n\nmain()\n```", ["f"],
         ["def f():\n    return 1", "def main():\n    print(input())"]),
        ("```\nx = input()\n\ndef f():\n    return 1\n```", ["f"], ["x = input()", "def f():\n    return 1"]),
        ("```\ndef f():\n    return input()\n```", ["f"], ["def f():\n    return input()"]),
        # no piece defines it
        ("```bash\nls -l\n```\n```python\nx = 1\n```\n```python\ny = 1\n```", ["f"], ["x = 1"]),
        ("```\nfrom math import *\n```", ["sqrt"], ["from math import *"]),
        ("x = 1", ["f"], ["x = 1"]),
    ],
)  # fmt: skip
def test_pieces_that_belong_together(text, wanted, code):
    assert defines(text, *wanted) == code


@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{ADD}\n)\n```",
        f"```python\n{ADD}\n\nThis adds two numbers.\n```",
        "```python\ndef add(a, b)\n    return a + b\n```",
        "```python\ndef add(a, b):\nreturn a + b\n```",
        "def add(a, b):\nreturn a + b",
        "The function add takes a and b and returns a + b.",
        "return a + b",
        "add(a, b)",
    ],
)
def test_broken_code_is_not_mended(text):
    code = code_of(text, ["add"])
    try:
        compile(code, "answer", "exec")
    except SyntaxError:
        return
    assert "def" not in code


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n" * 16_000, "def f(:\n" * 12_000, "if x:\n" * 16_000, "(" * 100_000, "lambda:" * 14_000, "f({" * 33_000,
        '"""\n' * 25_000, "```\n" * 25_000, ">>> x\n" * 16_000, "`x` " * 25_000, "a.b" + ".c" * 49_000, "-" * 99_999 + "1",
        "    " * 25_000, "x" * 200_000, "def f():\n    pass\n\nword word word\n\n" * 2_700, "\\\n" * 50_000, "f'{" * 33_000,
        "```\nimport a\n```\n" * 5_000, "def add(a):\n    b()\n" * 5_000, "x = (\n" * 16_000, "1 if 1 else " * 8_000,
        "```" + " " * 100_000 + "`", "~" * 100_000 + "`",
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_no_answer_takes_for_ever(text):
    began = time.process_time()
    assert isinstance(code_of(text, ["add", "f"]), str)
    assert time.process_time() - began < 5
