"""Copies of another SensorThings server: entities are kept in step, measurements come since the last seen one.

`models` says whose, `web` speaks to a server that is not trusted, `entities` and `readings` copy, `run` does
so for one source, `keeper` for all of them in the background.
"""
