"""The state machine of calls: what is heard, done and timed goes in, effects come out.

Owns who is in which call, who rings whom, which connections are wanted, and who may do what. Has no
clock and no I/O: `now` is any monotonic number of seconds. Refuses what a device says of others.
"""
