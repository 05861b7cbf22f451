"""Lock what a model project needs, or hand out the lock that a package carries: for pip, uv and conda."""
