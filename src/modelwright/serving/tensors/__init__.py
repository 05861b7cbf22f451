"""Rows and answers as the tensors of the Open Inference Protocol v2, for its doors over HTTP and gRPC."""
