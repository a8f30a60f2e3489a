"""One router a resource of the gateway's own."""
