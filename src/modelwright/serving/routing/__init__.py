"""Which variant answers a request: pure, the same in every process and language."""
