"""Sans-I/O protocol: bytes in, effects out."""
