"""The kinds of clause a policy is made of, one file each: data that is checked here and applied in handlers."""
