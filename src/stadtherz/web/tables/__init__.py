"""Tables in the back office: a file is uploaded, described step by step, checked and imported."""
