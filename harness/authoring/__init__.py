"""For the author of suites: lint rules, power, noise floor, new suites, other tools' tasks; without torch."""
