"""A registry elsewhere, asked over HTTP."""
