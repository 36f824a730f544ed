"""Requests in, Answers out. With `training`, the only room that imports torch, and only inside its
modules `loading`, `torch_engine`, `decoding` and `convert`."""
