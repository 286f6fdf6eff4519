"""Sound and pictures of this computer: microphones, speakers, cameras, and the tiles of the window.

Refuses to know connections: packets, voices and frames are handed in and out by the engine.
"""
