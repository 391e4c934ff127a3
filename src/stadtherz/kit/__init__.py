"""What a service is written with: the declaration, the registry, checks, contract tests, a skeleton."""
