"""The records of all runs, in one file: kept, found again, listed and compared."""
