"""Models in GGUF files, run by llama.cpp in this process (the package xllamacpp)."""
