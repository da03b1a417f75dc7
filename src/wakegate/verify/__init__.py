"""See for oneself, from outside: does it sleep, wake, keep a session, and sleep again? One HTTP client, any substrate.

visitor (requests, as a browser with a cookie makes them) -> steps (what is found out, in its order).
"""
