"""One machine: a gateway, processes and SQLite; no account, no server.

`gateway.py` puts it together, `service.py` is the only writer of a service's phase. A request goes
accept -> touch -> wake -> hold -> forward (`request/`), a sleep tick -> idle -> drain -> stop (`sleep/`),
load sample -> scale (`scale/`).
"""
