"""Signed entries for tests, made from fixed seeds."""
