"""How often the gate is wrong: runs drawn by chance in, false alarms and power of its policies, and of others, out."""
