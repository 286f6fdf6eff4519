"""The start screen: a name, a new team, the teams on this network, an invitation."""
