"""Payload decoders: the makers' JavaScript in worker processes, and byte maps and Cayenne LPP without any.

Knows bytes and values only; which device uses which codec is `ingest`'s business
(docs/decisions/0015-codecs-in-worker-processes.md).
"""
