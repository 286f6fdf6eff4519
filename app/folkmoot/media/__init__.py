"""Calls: the media process, and the launcher that the node starts it with.

The only place that knows aiortc, PyAV and what works on sound. Everything but `launcher` runs in
the media process, which the node reaches through the pipe of `services.media_port`.
"""
