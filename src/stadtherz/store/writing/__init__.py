"""Whatever changes readings: the thread that commits, corrections, sealing, thinning, tidying up."""
