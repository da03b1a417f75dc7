"""Scale any HTTP service to zero and wake it on the next request.

Imports go one way: cli -> dashboard -> {local | sim} -> config -> ports -> core.
"""

__version__ = "0.1.0"
