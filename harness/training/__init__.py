"""Recipe in, tuned model out."""
