"""Devices that travel: where their own position leads, the Thing that they measure at follows."""
