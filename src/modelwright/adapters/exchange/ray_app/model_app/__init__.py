"""What serves packaged models on Ray: a router in front of one deployment per version."""
