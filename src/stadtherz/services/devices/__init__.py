"""Devices: which of them do not report or will soon need a battery, and a message to those who look after them.

For: the technicians of an organisation, never the people who are warned of high water.
Data: what `ingest` knows of each device: when it was last heard, how often it reports, its battery.
"""
