"""Look at packages without executing them (read, scan, diff), and prove them in a clean environment (verify)."""
