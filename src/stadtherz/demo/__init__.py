"""The demo city: Kaiserslautern's map with water levels recorded elsewhere, and said so.

`city` sets it up once, `replay` plays the recordings on as live uplinks of LoRaWAN devices.
"""
