"""What is looked at before a file becomes visible, without executing any of it."""
