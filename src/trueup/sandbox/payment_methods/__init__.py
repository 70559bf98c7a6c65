"""How customers pay: cards, bank accounts and the rest, and what each does when it is charged."""
