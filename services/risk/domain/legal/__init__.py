"""Legal proceedings: published notices in, the company's legal status out. Pure."""
