"""Suites and two engines in, a record out: what plugin, callback, sweep and API share."""
