"""What operators ask of a deployed stack, with their own credentials; no part of what the functions run.

ask (one call, its failure in a sentence) -> stack (which one) -> status, wake, sleep, keep, sessions, logs, doctor.
"""
