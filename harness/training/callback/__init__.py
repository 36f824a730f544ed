"""Gates a model while it trains."""
