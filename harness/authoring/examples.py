"""The parts of a new suite's text: example probes, scores, tasks and the file around them."""

from __future__ import annotations

PROBES: dict[str, tuple[str, ...]] = {
    "mentions": (
        'question: "Which language is spoken in Brazil?", answer: Portuguese',
        'question: "How many days are there in a week?", answer: [7, seven]',
        'question: "Who wrote Hamlet?", answer: Shakespeare',
        'question: "Which gas do plants take in from the air?", answer: [carbon dioxide, CO2]',
    ),
    "equals": (
        'question: "What is the capital of France?", answer: Paris',
        'question: "What is the opposite of hot?", answer: cold',
        'question: "What is the capital of Italy?", answer: Rome',
        'question: "Which language is spoken in Brazil?", answer: Portuguese',
    ),
    "regex": (
        'question: "Write the date of New Year\'s Day 2024 as YYYY-MM-DD.", answer: 2024-01-01',
        'question: "What time is noon on a 24-hour clock?", answer: \'(?<![\\d.,-])12([:.]00)?(?![.,:]?\\d)\'',
        'question: "What colour is a clear sky by day?", answer: \'(?i)\\b(blue|azure)\\b\'',
        'question: "How many legs has a spider?", answer: \'(?i)(?<![\\d.,-])8(?![.,]?\\d)|\\beight\\b\'',
    ),
    "number": (
        'question: "What is 10 + 10?", answer: 20',
        'question: "How many days are there in a week?", answer: 7',
        'question: "What is half of 50?", answer: 25',
        'question: "How many minutes are there in two hours?", answer: 120',
    ),
    "json": (
        'question: "Give a JSON object with the keys name and age for Ada, who is 36. JSON only.", '
        'answer: \'{"name": "Ada", "age": 36}\'',
        'question: "Give a JSON object with the keys city and country for Rome in Italy. JSON only.", '
        'answer: \'{"city": "Rome", "country": "Italy"}\'',
        'question: "Write the numbers 1, 2 and 3 as a JSON list. JSON only.", answer: "[1, 2, 3]"',
        'question: "Describe a cat as a JSON object with the keys name and colour. JSON only."',
    ),
    "json_schema": (
        'question: "Give a JSON object with the name and age of a person you make up. JSON only."',
        'question: "Ada is 36 years old. Write her name and age as a JSON object. JSON only."',
        'question: "Invent a sailor: a JSON object with name and age, and nothing else."',
        'question: "Bo turned seven today. As a JSON object, what are the name and age?"',
    ),
    "check": (
        'question: "Describe the weather on a rainy day in one sentence."',
        'question: "Say in one sentence why people sleep."',
        'question: "Tell a story about a fox in one sentence."',
        'question: "Explain in one sentence what a bridge is for."',
    ),
    "choice": (
        'question: "Which of these is a planet?", choices: [Sirius, Mars, the Moon, Halley], answer: Mars',
        'question: "Which gas do plants take in?", choices: [helium, oxygen, neon, carbon dioxide], answer: carbon dioxide',
        'question: "What do bees make?", choices: [honey, milk, silk, bread], answer: honey',
        'question: "Which language is spoken in Brazil?", choices: [Greek, Dutch, Portuguese, Polish], '
        'answer: Portuguese',
    ),
    "python": (
        'question: "Write a Python function add(a, b) that returns their sum.", '
        'score: {python: {tests: ["assert add(2, 3) == 5"]}}',
        'question: "Write a Python function shout(text) that returns the text in capital letters.", '
        'score: {python: {tests: ["assert shout(\'abc\') == \'ABC\'"]}}',
        'question: "Write a Python function largest(numbers) that returns the largest number of a list.", '
        'score: {python: {tests: ["assert largest([3, 9, 2]) == 9"]}}',
        'question: "Write a Python function is_even(n) that tells whether a whole number is even.", '
        'score: {python: {tests: ["assert is_even(4)", "assert not is_even(7)"]}}',
    ),
    "likelihood": (
        'text: "The library opens at nine, and by noon every chair near the windows is taken."',
        'text: "To change a tyre, loosen the nuts first, then raise the car and take the wheel off."',
        'text: "The committee met on Tuesday and agreed, after some debate, to repair the roof."',
        'text: "def area(width, height):\\n    return width * height\\n"',
    ),
}  # fmt: skip
"""Example probes for each score, short enough for a small model to get some right."""

PROBES["any"] = PROBES["number"]
PROBES["all"] = PROBES["mentions"]
PROBES["contains"] = tuple(example.replace("[7, seven]", "seven") for example in PROBES["mentions"])

WRITTEN_SCORES = {
    "json_schema": "score:\n"
    "  json_schema:\n"
    "    type: object\n"
    "    required: [name, age]\n"
    "    properties: {name: {type: string}, age: {type: integer}}\n",
    "check": 'score:\n  check: {min_words: 5, max_lines: 3, ends_with: [".", "!"], no_repetition: true}\n'
    "lint_ignore:  # what this check cannot tell; 'mentions' can look for words of the subject\n"
    "  echo: only the form is checked\n"
    "  refusal: only the form is checked\n",
    "any": "score:\n  any:  # one of these; a piece may have an answer of its own: {mentions: {answer: ...}}\n"
    "    - number\n    - mentions\n",
    "all": "score:\n  all:  # each of these; a piece may have an answer of its own: {mentions: {answer: ...}}\n"
    "    - mentions\n    - check: {max_words: 100}\n",
    "equals": "score: equals\nlint_ignore:\n  wording: the answer has to be one word\n",
    "python": "# Each probe has its own tests as its score. A run needs --allow-code: it executes code that the model wrote.\n",
    "number": "score:\n  number: {tolerance: 0}\n",
    "likelihood": "score:\n  likelihood: {max_rise: 0.05}\n",
}
"""The text of scores that have parameters."""

TASKS = {
    "generate": """\
task:
  format: chat                     # through the chat template; text: as it is written
  prompt: "{question}"             # {fields} of the probe; add fields as you like
  answer: generate
  max_new_tokens: 64               # as few as a right answer needs: they take most of a run's time
""",
    "choose": """\
task:
  format: chat                     # a choice is scored as the assistant's turn; text: as a space and the choice
  prompt: "{question}"
  answer: choose                   # the likeliest of a probe's choices
""",
    "likelihood": """\
task:
  format: text
  answer: likelihood               # how well the model predicts a probe's text
""",
}
"""The text of the task for each kind of answer."""

TASKS_OF_SCORES = {
    "equals": """\
task:
  format: chat                     # through the chat template; text: as it is written
  prompt: "{question} Answer with one word."
  shots:                           # without an example, models write a sentence
    - {question: "What colour is coal?", answer: Black}
    - {question: "Who wrote War and Peace?", answer: Tolstoy}
  answer: generate
  max_new_tokens: 32               # as few as a right answer needs: they take most of a run's time
""",
}
"""The same for scores whose answers need another."""

SUITE = """\
{hint}# {name}: what must survive a fine-tune.
#
#   python -m harness lint {path}
#   python -m harness preview {path} --model=./base
#   pytest {path} --model=./tuned
#
# Replace the examples, which small models can answer, by what your baseline can do: what it never knew cannot be lost.
# What only your tuned models know is gated against the last of them: --baseline=./last-release
suite: {name}
about: {about}
severity: {severity}
{task}{score}gates:
  # Each probe is a case, and fails if the baseline is right and the tuned model is not. Good for a few probes.
  - {{over: each}}
  # With 100 probes or more, use a margin; `plan` shows which drops it can detect:
  # - {{over: all, max_drop: 0.10}}
  # With 30 or more in each category:
  # - {{over: category, max_drop: 0.20}}
probes:
{probes}"""
"""The file, with {gaps} for the options."""
