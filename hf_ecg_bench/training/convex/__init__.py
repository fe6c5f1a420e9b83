"""A linear head on stored features as a convex problem."""
