"""The services of the platform. They never import one another; they refer to each other by id over HTTP."""
