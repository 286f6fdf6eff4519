"""The controls that every screen is built from; none of them knows a service."""
