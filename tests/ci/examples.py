"""The CI files that docs/ci.md shows and `init` writes; `python -m tests.ci.examples FOLDER` writes them, to be checked."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from harness.authoring.starter import WORKFLOW, start

PAGE = Path(__file__).parents[2] / "docs" / "ci.md"
EXAMPLE = re.compile(r"^<!-- ci: (\S+) -->\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> dict[str, str]:
    """The text of each file by its path in a project."""
    return dict(EXAMPLE.findall(PAGE.read_text(encoding="utf-8")))


def write(folder: Path) -> None:
    begun = start(folder, "org/tuned@v1", "org/base").files[folder / WORKFLOW]
    for path, text in {**examples(), WORKFLOW.with_name("begun.yml").as_posix(): begun}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
