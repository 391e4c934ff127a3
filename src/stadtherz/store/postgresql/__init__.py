"""Django's database backend for PostgreSQL, with fewer ways to the server (docs/decisions/0038)."""
