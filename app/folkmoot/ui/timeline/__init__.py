"""The painted list of messages: it lays out only what is visible and never moves what is read."""
