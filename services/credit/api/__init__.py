"""One router a resource of credit."""
