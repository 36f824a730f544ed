"""Change a tuned model in memory: by parts, in place, and exactly back."""
