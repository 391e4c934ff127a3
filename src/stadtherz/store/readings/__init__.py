"""Questions put to the sealed chunks, the tail and the rows together: readings, buckets, exports; who may read."""
