"""Benchmarks of the gateway: both sides of a comparison run in turns, and what is told has its spread."""
