"""From a model folder or a project to a wheel and an sdist; the model and its libraries are never imported."""
