"""How others are reached: servers, the way to each person, and the connection doctor."""
