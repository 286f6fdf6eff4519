"""The signaling server: introduces peers that cannot find each other."""
