"""Pages that people look at: templates, styles and the data they show."""
