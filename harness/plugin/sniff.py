"""A YAML file in; whether it is a suite out, by its top-level keys and without parsing it.

A project's other YAML is left alone: `suite` alone is not enough (other tools use that key), and two keys that
only a suite has are, so that a suite whose `suite:` was misspelt is still collected and told.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

_KEYS = re.compile(
    r"^\ufeff?[\"']?(suite|about|severity|task|score|gates|probes|probes_from)[\"']?[ \t]*:", re.MULTILINE
)
_TELLING = {"gates", "probes", "probes_from"}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_suite_file(path: Path) -> bool:
    """Whether a file has the keys of a suite; False for one that cannot be read."""
    try:
        data = path.read_bytes()
    except OSError:
        return False
    encoding = "utf-16" if data.startswith(_UTF_16) else "utf-8"  # the reader says that it must be UTF-8
    found = set(_KEYS.findall(data.decode(encoding, "replace")))
    return bool(found & _TELLING) and len(found) >= 2
