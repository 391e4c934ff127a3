"""Clients of outside MQTT brokers: what networks publish there becomes readings here.

`models` says which brokers there are and how each is doing; `keeper` looks after them: one `session` for
each, in one process at a time (`leases`). `topics` says what a message is, `intake` has it stored;
only then it is acknowledged. `ways` remembers which devices a connection reaches.
"""
