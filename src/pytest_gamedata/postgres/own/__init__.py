"""A throwaway PostgreSQL server: found, made, started, kept for the length of a run, and removed."""
