"""What can be shared of a screen, and its pictures: X11, Qt's adapters, a generated page, a file.

Refuses to encode or to send: frames are handed to who asked. Refuses to show a window whose pixels
cannot be told from those of the windows around it.
"""
