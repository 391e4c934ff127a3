"""Where all connections meet: who is there, who has subscribed to what, and who shares it."""
