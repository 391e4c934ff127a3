"""What is measured and who owns it: changes, data sets, rights, registration."""
