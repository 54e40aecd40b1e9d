"""The gateway: organisations, users, API keys, quotas and usage; policy, routing, merged search and API document.

Promises: whoever calls is known before anything is done, and a wrong key is never taken for no key; what a caller says
about its own identity is not heard; a revoked key is refused within two seconds; a service that is away costs the
others nothing and is named in the answer; every answer, also a refusal, carries a request id.
"""
