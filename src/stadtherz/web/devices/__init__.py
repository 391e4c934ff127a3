"""Devices in the back office: how they are, their messages, stickers, lists, swaps."""
