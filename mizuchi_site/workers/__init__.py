"""What the worker processes of all nodes say of themselves, through the database."""
