"""Terms that a loss gains so that less is forgotten."""
