"""Calls as the window and the API use them: `CallsService`, and what it is made of."""
