"""A write may die; another one goes on from its checkpoints."""
