"""What credit does with the events of the others."""
