"""What tests of several files build with: projects, packages, suites, tiny models, trainings and sweeps."""
