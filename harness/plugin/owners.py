"""Print, as JSON on the last line of stdout, who has taken names of our options in this environment.

`python -m harness doctor` runs this in a process of its own, which a broken plugin may end: pytest loads every plugin and
conftest.py as for a run, and after each one our names are looked up in its parser.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from harness.plugin.names import Names

ARGUMENTS = ("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Write no cache, and do not warn that our modules were imported before pytest could rewrite their assertions."""


class Listener:
    """Looks up the taken names after each plugin that loads."""

    def __init__(self) -> None:
        self.parser: pytest.Parser | None = None
        self.owners: dict[str, Any] = {}
        """The plugin that took each name."""
        self.result: dict[str, Any] = {"loaded": False, "taken": []}

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        """Keep the parser."""
        self.parser = parser

    def pytest_plugin_registered(self, plugin: Any) -> None:
        """Note the names that this plugin took."""
        if self.parser is not None:
            for name in Names.of(self.parser).taken:
                self.owners.setdefault(name, plugin)

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Name the owners, and end the run before it begins."""
        manager, distributions = config.pluginmanager, config.pluginmanager.list_plugin_distinfo()
        packages = {id(plugin): distribution.project_name for plugin, distribution in distributions}
        self.result["loaded"] = manager.hasplugin("harness.plugin")
        if self.parser is not None:
            names = Names.of(self.parser)
            self.result["taken"] = [
                {
                    "name": name,
                    "by": packages.get(id(plugin)) or _shown(plugin),
                    "instead": names.best(names.taken[name].name),
                }
                for name, plugin in self.owners.items()
            ]
        return 0


def _shown(plugin: Any) -> str:
    """The name of a plugin without a package: pytest's own, a conftest.py or a module of the user's."""
    name = str(getattr(plugin, "__name__", type(plugin).__module__))
    if name.startswith("_pytest."):
        return "pytest"
    return str(getattr(plugin, "__file__", None) or name)


def main() -> int:
    """Run pytest and print `{"loaded": true, "taken": [{"name", "by", "instead"}]}`; return pytest's exit code."""
    listener = Listener()
    code = pytest.main([*ARGUMENTS], plugins=[listener])
    print(json.dumps(listener.result))
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
