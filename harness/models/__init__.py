"""A reference such as "./tuned" in; what to load, its identity and its baseline out. No torch here."""
