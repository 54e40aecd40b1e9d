"""Articles and terms: processes, faults, energy and quality in the ten industries, each statement with its status.

Promises: no raw HTML reaches a reader; what is uncertain says so; an entry past its date of confirmation says so too.
"""
