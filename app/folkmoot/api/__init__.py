"""The local HTTP and WebSocket API."""
