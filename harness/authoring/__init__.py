"""For authors of suites: lint rules, power, noise floor, new suites, tasks of other tools; without torch."""
