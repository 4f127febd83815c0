"""What S3 requests came to: counted in each worker, shared through the database, read by window of time."""
