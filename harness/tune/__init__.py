"""A base and a corpus in, a tuned model that learnt and passes the gate out: the command `tune`."""
