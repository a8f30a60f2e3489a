"""What the stand-ins do."""
