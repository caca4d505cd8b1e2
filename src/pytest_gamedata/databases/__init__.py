"""A seeded database for a specification: its template, its cache key, its contents."""
