"""The course in a real browser, driven as a learner does."""
