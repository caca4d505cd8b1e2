"""Load rows into tables, read them back, and remove them."""
