"""What other houses know about companies: one port, many adapters."""
