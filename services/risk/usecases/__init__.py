"""One module a business operation of risk."""
