"""Calls: the receive path, from an RTP packet to a sample or a picture.

`audio_buffer`, `video_buffer` and `sync` are pure: packets and the time come as arguments. `audio`
and `video` tie them to aiortc, through `overrides` only. Nothing here knows a call or a pipe.
"""
