"""Everything that moves rows; nothing here knows about games."""
