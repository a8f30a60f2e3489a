"""Electronic invoices of EN 16931 (UBL 2.1, CII D16B, Factur-X) as rows of the ledger."""
