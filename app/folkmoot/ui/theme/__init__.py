"""Colours, fonts, icons and avatars of the window, all from one table of tokens."""
