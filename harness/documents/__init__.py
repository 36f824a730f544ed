"""YAML and data files in, values with their places and every problem of them out."""
