"""The wizard with which a clerk connects a device."""
