"""One module a business operation of the gateway."""
