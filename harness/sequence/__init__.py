"""Recipes tuned one after another, each from the last, and what that does to earlier and later tasks: the command `sequence`."""
