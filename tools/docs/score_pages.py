"""Make the sections of docs/scores.md: each score with an example, the replies that it judges, and its parameters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from textwrap import indent

from harness.scoring import BUILT_IN
from harness.suites.schema import Schema
from tools.docs.format_tables import key_table, score_schemas, table
from tools.docs.score_examples import CHECKS, EXAMPLES, Example

TAKES = {
    "all": "a list of scores",
    "any": "a list of scores",
    "not": "a score",
    "json_schema": "a JSON Schema",
}
"""What stands under the name of a score without named parameters."""

KEYS_OF_A_CHECK = "the-keys-of-a-check"
SHARED = "Parameters of several scores"


def score_list() -> str:
    """Every score in a line, with a link to its section."""
    rows = [
        (f"[`{name}`](scores.md#{name})", f"`{BUILT_IN[name].judges}`", _about(name)) for name in _names()
    ]
    return "\n".join(table(("score", "answers", "right when"), rows))


def score_sections() -> str:
    """A section for each score."""
    shared = shared_parameters()
    return "\n\n".join("\n\n".join(_section(name, shared)) for name in _names())


def shared_score_parameters() -> str:
    """The table of the parameters that several scores take alike."""
    return key_table({"properties": shared_parameters()})


def check_examples() -> str:
    """The table of checks with a reply that passes and one that does not."""
    rows = [(f"`{{{written}}}`", _shown(right), _shown(wrong)) for written, right, wrong in CHECKS]
    return "\n".join(table(("check", "right", "wrong"), rows))


def shared_parameters() -> Mapping[str, Schema]:
    """Parameters that two scores or more take in the same words; a check has a table of its own."""
    schemas = [schema for name, schema in score_schemas().items() if name != "check"]
    found = Counter((key, _key(value)) for schema in schemas for key, value in _properties(schema).items())
    alike = {key for key, times in found.items() if times > 1}
    return {
        key: value
        for schema in schemas
        for key, value in _properties(schema).items()
        if (key, _key(value)) in alike
    }


def _section(name: str, shared: Mapping[str, Schema]) -> Iterator[str]:
    example = EXAMPLES[name]
    yield f"### {name}"
    yield " ".join(str(BUILT_IN[name].__doc__).split())
    yield f"```yaml\n- id: example\n{indent(example.yaml, '  ')}\n```"
    yield "\n".join(table((_replies(name), "judged"), list(_judged(example))))
    properties = _properties(score_schemas()[name])
    if name == "check":
        yield f"Its keys are [below](#{KEYS_OF_A_CHECK})."
        return
    own = {key: value for key, value in properties.items() if _key(shared.get(key, {})) != _key(value)}
    if name in TAKES:
        yield f"It takes {TAKES[name]}."
    if own:
        yield key_table({**score_schemas()[name], "properties": own})
    if alike := [f"`{key}`" for key in properties if key not in own]:
        also = "Also takes" if own else "Takes"
        yield f"{also} {', '.join(alike)}: see [{SHARED.lower()}](#{SHARED.lower().replace(' ', '-')})."


def _judged(example: Example) -> Iterator[tuple[str, str]]:
    for replies, how in ((example.right, "right"), (example.wrong, "wrong")):
        for reply in replies:
            yield _shown(reply), how


def _replies(name: str) -> str:
    """What the examples of a score are."""
    kind = BUILT_IN[name].judges
    return {"choose": "log-probabilities of the choices", "likelihood": "bits per byte"}.get(kind, "reply")


def _shown(text: str) -> str:
    return " ⏎ ".join(f"`{line}`" for line in text.splitlines())


def _names() -> list[str]:
    return sorted(BUILT_IN)


def _about(name: str) -> str:
    """The first sentence."""
    first, *_ = re.split(r"(?<=\.)\s", str(BUILT_IN[name].__doc__), maxsplit=1)
    return " ".join(first.split())


def _properties(schema: Schema) -> Mapping[str, Schema]:
    found: Mapping[str, Schema] = schema.get("properties", {})
    return found


def _key(schema: Schema) -> str:
    return repr(sorted(schema.items()))
