"""From stored columns to numbers, by maps fitted on public rows and by frozen public networks."""
