"""The REST API under ``/api/v1/``: what the desk shows and does, for programs."""
