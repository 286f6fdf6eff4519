"""One place where people write: timeline, typing line, composer; a channel, a direct, a thread."""
