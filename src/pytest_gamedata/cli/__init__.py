"""The command line: `gamedata serve`, `seed`, `clear`, `check` and `summary`."""
