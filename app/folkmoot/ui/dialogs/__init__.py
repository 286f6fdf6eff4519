"""Dialogs, shown with `open()`: each asks one thing and says in place what went wrong."""
