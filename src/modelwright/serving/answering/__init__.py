"""Values to bytes: write what a model answered, in the form the caller sent or asked for."""
