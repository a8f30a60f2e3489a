"""One module a business operation of dunning."""
