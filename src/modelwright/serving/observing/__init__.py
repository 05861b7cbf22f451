"""What is told of requests: access log, metrics, record log, outcomes, traces."""
