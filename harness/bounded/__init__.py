"""Work on text of strangers (templates, patterns, schemas), bounded in time and memory."""
