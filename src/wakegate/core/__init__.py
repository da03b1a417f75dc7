"""The policy: values in, a verdict with its reason out. No I/O, no clock, no randomness.

request: accept -> touch -> wake -> hold -> forward; sleep: tick -> idle -> drain -> stop; scale: sample -> scale.
"""
