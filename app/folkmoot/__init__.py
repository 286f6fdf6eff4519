"""Folkmoot: team chat from computer to computer, without a server."""

__version__ = "0.1.0"
