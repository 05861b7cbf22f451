"""``mw.Registry``: a registry by its address, whether that is a folder or a URL."""
