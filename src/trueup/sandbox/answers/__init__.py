"""How a request becomes a call of a handler, and what it gave an answer."""
