"""The asker's side: ``mw.Client``, and how commands find the servers of this machine."""
