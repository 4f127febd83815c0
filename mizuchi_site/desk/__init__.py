"""The operator's desk: Django's admin, with pages of its own over all rooms."""
