"""What a store lists, and what its metadata refer to."""
