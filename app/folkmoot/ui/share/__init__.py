"""Sharing a screen, in the window: choosing, presenting, watching, pointing and drawing."""
