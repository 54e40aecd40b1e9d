"""The runner: the process in which models and tools compute, with caps on what it may use."""
