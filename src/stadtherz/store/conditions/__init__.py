"""What conditions and orders say of columns of readings, and of whole chunks by their statistics alone. Pure."""
