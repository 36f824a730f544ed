"""Requests in, Answers out: the contract, and the registry of engines. Only the room `transformers` in it imports torch."""
