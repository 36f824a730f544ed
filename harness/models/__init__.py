"""A reference such as "./tuned" in; the folder to load, its identity and its baseline out. No torch here."""
