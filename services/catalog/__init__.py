"""Solutions, providers and enquiries: what others did about a problem, who does it, and how to ask.

Promises: a figure never stands without its status; no provider is invented, so the list may be empty; an enquiry is
seen by the one who wrote it and by nobody else.
"""
