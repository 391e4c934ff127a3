"""Connections are let in: by TCP, by TLS and by websocket."""
