"""How far uploads have come that are under way: known in each worker, shared through the database."""
