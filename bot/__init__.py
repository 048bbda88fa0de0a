"""The running service: the only package that knows all the others."""
