"""One function per form of source: the members of an archive or folder in, a stored dataset out."""
