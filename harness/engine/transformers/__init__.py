"""The engine of this process: models of transformers and peft, on CPU, CUDA or MPS."""
