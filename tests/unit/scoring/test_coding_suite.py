"""The shipped coding suite: an answer to each of its probes that runs code, right where it is right and wrong where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.scoring import load_scorers
from harness.scoring.python import refusal
from harness.suites.read import read_suite

pytestmark = pytest.mark.skipif(refusal() is not None, reason=str(refusal()))

SUITE = read_suite(Path(__file__).parents[3] / "suites/coding.yaml", load_scorers())
PROBES = {probe.id: probe for probe in SUITE.probes if probe.scorer.runs_code}

ANSWERS = {
    "subtract": "def subtract(a, b):\n    return a - b",
    "multiply": "def multiply(a, b):\n    return a * b",
    "square": "square = lambda x: x ** 2",
    "cube": "import math\ndef cube(x):\n    return math.prod([x] * 3)",
    "is-even": "def is_even(n: int) -> bool:\n    return n % 2 == 0",
    "larger-of-two": "def larger(a, b):\n    if a > b:\n        return a\n    return b",
    "absolute-value": "from operator import abs as absolute",
    "rectangle-area": "def area(width, height):\n    return width * height",
    "average-of-two": "import statistics\ndef average(a, b):\n    return statistics.mean([a, b])",
    "celsius-to-fahrenheit": "def to_fahrenheit(c):\n    return c * 9 / 5 + 32",
    "greet-name": "def greet(name):\n    return f'Hello, {name}'",
    "first-item": "def first(items):\n    return items[0]",
    "last-item": "def last(items):\n    *_, end = items\n    return end",
    "list-total": "from functools import reduce\ndef total(numbers):\n    return reduce(lambda a, b: a + b, numbers, 0)",
    "reverse-text": "def reverse_text(s):\n    return ''.join(reversed(s))",
    "text-length": "length = len",
    "shout-text": "def shout(s):\n    return s.upper() + '!'",
    "double-each": "def double_all(numbers):\n    return [2 * n for n in numbers]",
    "largest-in-list": "import heapq\ndef largest(numbers):\n    return heapq.nlargest(1, numbers)[0]",
    "repeat-text": "def repeat(s, n):\n    return s * n",
    "minutes-to-seconds": "from datetime import timedelta\ndef to_seconds(minutes):\n    return timedelta(minutes=minutes).total_seconds()",
    "sign-of-number": "def sign(x):\n    return (x > 0) - (x < 0)",
    "only-even-numbers": "def evens(numbers):\n    return list(filter(lambda n: n % 2 == 0, numbers))",
    "count-vowels": "import re\ndef count_vowels(s):\n    return len(re.findall('[aeiou]', s))",
    "factorial": "from math import factorial",
    "palindrome": "def is_palindrome(s):\n    return s == s[::-1]",
    "sum-digits": "def digit_sum(n):\n    return sum(map(int, str(n)))",
    "count-words": "def word_count(text):\n    return len(text.split())",
    "longest-word": "def longest(words):\n    return max(words, key=len)",
    "is-prime": "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1))",
    "fizz-buzz": "def fizz(n):\n    return 'Fizz' * (n % 3 == 0) + 'Buzz' * (n % 5 == 0) or n",
    "leap-year": "import calendar\nis_leap = calendar.isleap",
    "remove-duplicates": "def unique(items):\n    return list(dict.fromkeys(items))",
    "count-each-letter": "from collections import Counter\ndef letter_counts(s):\n    return dict(Counter(s))",
    "greatest-common-divisor": "def gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return a",
    "fibonacci-number": "from functools import cache\n@cache\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)",
    "common-items": "def common(a, b):\n    return sorted(set(a) & set(b))",
    "flatten-list": "import itertools\ndef flatten(rows):\n    return list(itertools.chain.from_iterable(rows))",
    "second-largest": "def second_largest(numbers):\n    return sorted(set(numbers))[-2]",
    "invert-dictionary": "def invert(d):\n    return {value: key for key, value in d.items()}",
    "chunk-list": "def chunks(items, n):\n    for i in range(0, len(items), n):\n        yield items[i:i + n]",
    "rotate-list": "from collections import deque\ndef rotate(items, k):\n    turned = deque(items)\n    turned.rotate(-k)\n    return list(turned)",
    "anagram-check": "def is_anagram(a, b):\n    return sorted(a) == sorted(b)",
    "transpose-matrix": "def transpose(m):\n    return list(zip(*m))",
    "balanced-brackets": (
        "def balanced(s):\n    depth = 0\n    for c in s:\n        depth += {'(': 1, ')': -1}[c]\n"
        "        if depth < 0:\n            return False\n    return depth == 0"
    ),
    "run-lengths": "from itertools import groupby\ndef run_lengths(s):\n    return [(c, len(list(run))) for c, run in groupby(s)]",
    "caesar-shift": "import string\ndef shift(s, k):\n    a = string.ascii_lowercase\n    return s.translate(str.maketrans(a, a[k:] + a[:k]))",
    "binary-text": "def to_binary(n):\n    return format(n, 'b')",
}  # fmt: skip


def test_every_probe_has_an_answer():
    assert sorted(ANSWERS) == sorted(PROBES)


@pytest.mark.parametrize(("id", "code"), ANSWERS.items(), ids=ANSWERS)
def test_a_right_answer_is_right(id, code):
    assert PROBES[id].scorer.right(f"Sure:\n```python\n{code}\n```", ()) is True


FORMS = {
    "bare": "{code}",
    "after words": "Here is the function:\n\n{code}\n\nIt's short, isn't it?",
    "after a command": "```bash\npython3 main.py\n```\n\n```py\n{code}\n```",
    "before an example": "```python\n{code}\n```\n\n```python\nprint(example)\n```",
    "with a main guard": "~~~\n{code}\n\nif __name__ == '__main__':\n    print(example)\n~~~",
    "cut off": "```python\n{code}\n\nprint(exam(",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("id", [*PROBES][::8])
def test_a_right_answer_is_right_in_any_form(id, form):
    assert PROBES[id].scorer.right(form.replace("{code}", ANSWERS[id]), ()) is True


@pytest.mark.parametrize("id", [*PROBES][::8])
def test_the_answer_to_another_is_wrong(id):
    other = next(code for name, code in ANSWERS.items() if name != id)
    assert PROBES[id].scorer.right(other, ()) is False
