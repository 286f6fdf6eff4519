"""The operating system: paths, clock, log set-up, one instance per profile."""
