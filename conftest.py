"""Wiring only; the plugins are named in pyproject.toml, so that suites of this checkout can be collected from elsewhere."""

import pytest

pytest.register_assert_rewrite("tests.support")
