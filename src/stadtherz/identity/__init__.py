"""People, organisations' members, API tokens, the audit trail, and what each caller may see."""
