"""An insurer, broker or middleware that speaks our own neutral contract, and signs as Standard Webhooks has it."""
