"""What `make` runs: notebooks built, merged, checked and exported."""
