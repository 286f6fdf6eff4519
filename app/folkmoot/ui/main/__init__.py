"""The main window: side bar, conversation, right pane."""
