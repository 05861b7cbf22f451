"""The verbs of a registry on a database and files: publish, promote, roll back, yank, approve."""
