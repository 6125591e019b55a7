"""How the headline numbers are measured: one module a lesson, one function a run."""
