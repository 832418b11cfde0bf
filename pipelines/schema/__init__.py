"""Every table declared once; DDL, expectations and dictionary are derived."""
