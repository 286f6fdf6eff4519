"""Gear for proving calls: a lossy network, a sound system of its own, a foreign WebRTC peer."""
