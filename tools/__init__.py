"""What this repository needs and its users do not."""
