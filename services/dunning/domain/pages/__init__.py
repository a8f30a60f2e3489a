"""The customer's own page: what it shows, in its language, and what a form sent back says."""
