"""Times the gate beside lm-evaluation-harness: the same items, the same models, fresh processes in turn."""
