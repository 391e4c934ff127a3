"""Is everything in the store as it should be, how large is it, and what can be put right?"""
