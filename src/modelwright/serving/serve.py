"""``mw.serve``: from a reference or a file to a server that answers."""
