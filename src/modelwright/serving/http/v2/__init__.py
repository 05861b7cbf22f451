"""Open Inference Protocol v2 over HTTP: translates, decides nothing."""
