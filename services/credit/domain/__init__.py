"""Pure rules of credit limits."""
