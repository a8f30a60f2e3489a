"""What dunning does with the events of the others."""
