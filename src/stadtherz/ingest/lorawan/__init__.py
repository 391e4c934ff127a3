"""Readers of LoRaWAN network servers' documents: pure functions, one module for each network."""
