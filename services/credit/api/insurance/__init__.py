"""What credit insurance takes and answers."""
