"""The library of valuators, one method a file."""
