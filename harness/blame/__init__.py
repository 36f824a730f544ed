"""Which parts of a tuned model carry what it forgot, and which training examples push it: the command `blame`."""
