"""Models on this disk, run by vLLM in this process: on one GPU, on several, or on those of several nodes through Ray."""
