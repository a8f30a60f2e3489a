"""One router a resource of the sandbox."""
