"""Readings on their way in: what is offered, what may enter, what came already, and the log that holds it."""
