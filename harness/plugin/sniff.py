"""A YAML file in; whether it is a suite out, by its top-level keys and without parsing it.

A project's other YAML is left alone: `suite` alone is not enough (other tools use that key), and two keys that
only a suite has are, so that a suite whose `suite:` was misspelt is still collected and told.
"""

from __future__ import annotations

import re
from pathlib import Path

_KEYS = re.compile(
    rb"^(?:\xef\xbb\xbf)?(suite|about|severity|task|score|gates|probes|probes_from)[ \t]*:", re.MULTILINE
)
_TELLING = {b"gates", b"probes", b"probes_from"}


def is_suite_file(path: Path) -> bool:
    """Whether a file has the keys of a suite; False for one that cannot be read."""
    try:
        found = set(_KEYS.findall(path.read_bytes()))
    except OSError:
        return False
    return bool(found & _TELLING) and len(found) >= 2
