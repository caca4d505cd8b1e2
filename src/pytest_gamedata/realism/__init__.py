"""Realism: published figures about games, and how close a database comes to them."""
