"""The entity models of the standard and its extensions as data, and what each version's face shows of them."""
