"""Another index behind this one, cached."""
