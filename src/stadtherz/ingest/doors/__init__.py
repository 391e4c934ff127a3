"""Deliveries are let in: by HTTP, one at a time or at once, and many with one commit."""
