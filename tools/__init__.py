"""Tools for this checkout, not part of the package."""
