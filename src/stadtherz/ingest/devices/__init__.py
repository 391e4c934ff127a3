"""Which device it is, what its payload means, and what it sent last."""
