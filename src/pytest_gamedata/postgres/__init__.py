"""PostgreSQL: servers, databases and rows; nothing about games."""
