"""The use cases: what the desk does when something is said, done, or due.

`routing.py` is read first: it names the function that answers each command. Every function works on what its `Turn`
has loaded and leaves its effects there; nothing here reads, writes or knows the time.
"""
