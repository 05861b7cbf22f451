"""``mw.load``: a model in a process and an environment of its own, asked as if it were here; without a server."""
