"""The pages that installers read: PEP 503 and PEP 691, from frozen data, and the same as static files."""
