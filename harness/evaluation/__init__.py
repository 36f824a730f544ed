"""The shared gate of plugin, callback, sweep and Python API: suites and two engines in, a record out."""
