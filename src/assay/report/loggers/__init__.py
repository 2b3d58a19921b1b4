"""Loggers that a finished run can be sent to, one a file; each is imported without the library that it needs."""
