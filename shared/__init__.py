"""What every service needs and none owns: settings, database, search, jobs, rates, blobs, identity, problems, HTTP.

Nothing here knows a service; an import-linter contract says so.
"""
