"""The one place that knows every service: the command line, the wiring of the all-in-one, and the client library."""

__version__ = "0.1.0"
