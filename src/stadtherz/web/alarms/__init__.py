"""Alarms for staff: the board, one alert from beginning to end, the history, figures, and rules."""
