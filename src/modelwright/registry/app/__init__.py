"""The registry as a web application: routes, uploads, access; it translates and decides nothing."""
