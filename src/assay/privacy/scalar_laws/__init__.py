"""Laws by which one clipped number is released."""
