"""One router a resource of dunning."""
