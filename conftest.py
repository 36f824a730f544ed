"""Wiring only: makes the plugin known to runs inside this checkout, installed or not."""

import pytest

pytest.register_assert_rewrite("tests.support")
pytest_plugins = ["harness.plugin", "pytester"]
