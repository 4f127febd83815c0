"""How many requests, and how many uploads at a time, a principal may make: refused before the body."""
