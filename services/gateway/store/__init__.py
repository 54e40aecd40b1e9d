"""The gateway's tables and their queries."""
