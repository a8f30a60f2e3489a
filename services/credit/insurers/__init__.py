"""The insurers: one folder each (client, payloads, mapper), behind one port."""
