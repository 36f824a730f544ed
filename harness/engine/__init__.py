"""Requests in, Answers out. With `training`, the only room that imports torch, transformers and peft, and only inside its
modules `loading`, `adapters`, `checks`, `fingerprint`, `proof`, `tokenizing`, `torch_engine`, `decoding`, `convert` and `quiet`."""
