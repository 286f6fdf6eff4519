"""`folkmoot --selftest`: exercises every capability that Folkmoot needs, and says what is missing.

Owns the list of checks and how each of them runs: in a process of its own, so that one that hangs
or crashes takes no other with it. Refuses to report as there what was only imported.
"""
