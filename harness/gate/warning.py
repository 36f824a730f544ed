"""The warning that a gate gives where it does not fail: inconclusive, or of a severity that is let pass."""


class ForgettingWarning(UserWarning):
    """A gate passed without proof that the capability was retained."""
