"""In and out of other systems: what was kept, what was lost, and where it runs next."""
