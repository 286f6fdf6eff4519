"""Benchmarks: the numbers of this project, each beside its baseline (`make bench`)."""
