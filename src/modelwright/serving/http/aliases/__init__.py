"""Doors for the clients of other servers, so that they move without change: MLflow's and TensorFlow Serving's."""
