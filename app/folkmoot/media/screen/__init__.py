"""Calls: the send side of a shared screen. Sharpness comes first, then the number of pictures."""
