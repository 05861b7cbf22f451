"""Raise the version of a model project as far as its changes ask for, and write that down; ``bump`` is the verb."""
