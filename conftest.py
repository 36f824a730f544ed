"""Wiring only: makes the plugin known to runs inside this checkout, installed or not."""

pytest_plugins = ["harness.plugin", "pytester"]
