"""A user's own table: read, understood, described."""
