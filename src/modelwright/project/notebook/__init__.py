"""From a notebook to a project: read, analyse by data flow, write, prove."""
