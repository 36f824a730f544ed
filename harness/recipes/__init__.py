"""Recipe files in, checked values out: how a tuned model is trained, without torch."""
