"""Calls as people see them: the window, its tiles, who rings, the devices. Loaded when needed."""
