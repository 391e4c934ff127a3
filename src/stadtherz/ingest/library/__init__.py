"""Collections of device types from a folder: how they are laid out, what their codecs promise, what they measure."""
