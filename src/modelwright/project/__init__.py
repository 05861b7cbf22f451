"""From nothing, a notebook or an older project to a model project, and from release to release."""
