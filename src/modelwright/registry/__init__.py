"""A Python package index with stages and a memory: publish, promote, roll back, install, audit."""
