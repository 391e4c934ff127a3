"""Rules that staff make without code: from a reading or a tick of the clock to a change of state."""
