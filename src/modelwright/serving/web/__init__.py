"""What people see: the page of a server, OpenAPI, Swagger UI. No web framework."""
