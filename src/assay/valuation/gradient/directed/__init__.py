"""The directed release: values along trajectories that reveal no row, one clipped number of each row, released once.

`subspace` releases a few numbers of each row in place of one, and `shares` splits the budget over several utilities.
"""
