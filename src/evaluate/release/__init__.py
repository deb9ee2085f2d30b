"""Between person-level files and published ones: disclosure control, provenance, verification."""
