"""Make a model project from the bundled template, and bring an old one up to a newer template."""
