"""Citizens who want public warnings: they subscribe, confirm, are told, and leave in one step."""
