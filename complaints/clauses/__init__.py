"""The kinds of clause a policy is made of, one file each. A clause is data: it is checked here and applied in handlers."""
