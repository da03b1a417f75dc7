"""What Wakegate itself answers, as values: pages for browsers, problem+json for programs, the waiting page's status.

A substrate puts a `Reply` on its wire: the gateway as bytes of HTTP, the Lambda handlers as a payload.
"""
