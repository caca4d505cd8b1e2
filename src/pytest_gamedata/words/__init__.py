"""Categorical: names, usernames, items, user agents and addresses."""
