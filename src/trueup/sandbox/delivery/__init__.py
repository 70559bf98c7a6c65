"""Events on their way out: who gets them, when, in which order, and how often."""
