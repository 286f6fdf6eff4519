"""Use cases of the node, the ports they need and the events they tell."""
