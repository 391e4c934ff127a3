"""Stadtherz: an open urban platform for municipalities. ARCHITECTURE.md is the way in."""

__version__ = "0.1.0"
