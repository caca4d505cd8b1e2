"""The one application: players and their matches."""
