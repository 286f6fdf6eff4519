"""The adapter for X11: screens, regions and windows, over a connection of its own.

Refuses to load anywhere but where `libxcb` is; nothing here is imported before it is needed.
"""
