"""Folkmoot: team chat from computer to computer, without a server."""
