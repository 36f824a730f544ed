"""Many recipes trained, gated and ranked: the command `ladder`."""
