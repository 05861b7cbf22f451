"""The gRPC door of the Open Inference Protocol."""
