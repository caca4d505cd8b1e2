"""A PostgreSQL server of our own: found, made, started, kept alive and removed."""
