"""Public warnings: the page, the banner on every page, and CAP 1.2 for programs."""
