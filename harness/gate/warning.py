"""The warning for a gate that did not retain its capability and still does not fail the run."""


class ForgettingWarning(UserWarning):
    """A gate passed without proof that the capability was retained."""
