"""Numbers in, numbers out: paired statistics. Knows no type of ours."""
