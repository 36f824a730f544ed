"""Suite files in, Suites out. Knows nothing of models."""
