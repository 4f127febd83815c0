"""What happens after an upload: webhooks, written with its record and delivered at least once."""
