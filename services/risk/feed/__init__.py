"""What risk does with the events of the others."""
