"""One router a resource of risk."""
