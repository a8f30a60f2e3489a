"""The hot path: from the public door to the service that owns a path, and back."""
