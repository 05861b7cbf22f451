"""Turn a project that exists already into a model project: look at it, show what would change, change it when asked."""
