"""Recordings in the window: making one, the sign that one is made, the list, the player."""
