"""The modules that later lessons stand on; made from the solutions."""
