"""Parts of pages: markup, small pictures, and the report of one assurance. Values in, text out."""
