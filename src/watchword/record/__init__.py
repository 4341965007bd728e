"""Evidence becomes statements: what was found is put into the fields of its kind, signed and appended, once."""
