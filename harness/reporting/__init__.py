"""Records in, text for people out."""
