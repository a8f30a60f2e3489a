"""One module a business operation of credit."""
