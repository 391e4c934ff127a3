"""Who may deliver, and whom we ask: tokens, signatures, sealed passwords and the addresses of servers."""
