"""Sockets, TLS and mDNS: the only place that opens a connection to a peer."""
