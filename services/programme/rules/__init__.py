"""Rules as data: what the plan pays, when, to whom, by which clause, with worked cases in the same file."""
