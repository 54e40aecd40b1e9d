"""Calling a release: the hand-over on the event loop, the runner process, the open protocol and the friendly call."""
