"""The back office's frame: view sets limited to the staff member's organisations, and what every one of them needs."""
