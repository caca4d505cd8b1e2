"""PostgreSQL: servers, databases and rows; nothing here knows about games."""
