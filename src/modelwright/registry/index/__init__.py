"""The simple repository API: pages as data, as HTML and as JSON, as files for any web server, and how to install."""
