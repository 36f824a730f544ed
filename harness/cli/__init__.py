"""python -m harness: commands for what is not a test run."""
