"""What comes from outside: what a model file may hold, and the process in which it is first run."""
