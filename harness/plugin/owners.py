"""The pytest of this environment in, who has names of our options there out, as JSON on the last line of stdout.

pytest itself is asked, in a process of its own: it loads every plugin and each conftest.py that it loads for a run, and after
each of them its parser is held against our names. So a plugin that ends the process ends no other.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from harness.plugin.names import Names

ARGUMENTS = ("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Nothing is written, and it does not matter that our modules are loaded before pytest could rewrite them."""


class Listener:
    """Looks, after each plugin that loads, which of our names are taken by now."""

    def __init__(self) -> None:
        self.parser: pytest.Parser | None = None
        self.owners: dict[str, Any] = {}
        """By name, the plugin that took it."""
        self.found: dict[str, Any] = {"loaded": False, "taken": []}

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        """Remember the parser."""
        self.parser = parser

    def pytest_plugin_registered(self, plugin: Any) -> None:
        """Note what this plugin took."""
        if self.parser is not None:
            for name in Names.of(self.parser).taken:
                self.owners.setdefault(name, plugin)

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Note who that is, and end the run before it begins."""
        manager, distributions = config.pluginmanager, config.pluginmanager.list_plugin_distinfo()
        packages = {id(plugin): distribution.project_name for plugin, distribution in distributions}
        self.found["loaded"] = manager.hasplugin("harness.plugin")
        if self.parser is not None:
            names = Names.of(self.parser)
            self.found["taken"] = [
                {
                    "name": name,
                    "by": packages.get(id(plugin)) or _shown(plugin),
                    "instead": names.best(names.taken[name].name),
                }
                for name, plugin in self.owners.items()
            ]
        return 0


def _shown(plugin: Any) -> str:
    """A plugin that no package brings: pytest's own, a conftest.py or a module of the user's."""
    name = str(getattr(plugin, "__name__", type(plugin).__module__))
    if name.startswith("_pytest."):
        return "pytest"
    return str(getattr(plugin, "__file__", None) or name)


def main() -> int:
    """Ask pytest and print `{"loaded": whether our plugin is, "taken": [{"name", "by", "instead"}]}`.

    Returns:
        pytest's own exit code, which is not 0 where it cannot start.
    """
    listener = Listener()
    code = pytest.main([*ARGUMENTS], plugins=[listener])
    print(json.dumps(listener.found))
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
