"""Several processes that let requests in, by one port, and the keeper that decides for them all.

The keeper is the gateway's own process: phases, backends, the line of those who wait. A worker has the connections.

    a warm request:    worker → app                              no message, two counts on the board
    any other:         worker → ask → keeper → release → worker → app
    a sleep:           keeper → look → worker → heard            stopped only when all have acknowledged

Both sides: `board` (what they count, in memory that they share), `wire` (what they say), `channel` (how it gets there),
`hello` (how they meet, also after one of them was killed).
The keeper's: `crew` (all workers), `hand` (one of them), `asked` (a request of a worker in the keeper's line),
`beside` (the crew as one service sees it), `start` (the process, with its `papers`), `doors` (their sockets), `adopt`
(those that a keeper left behind).
A worker's: `worker` (its life), `outpost` (a lane), `asks` (what it asks the keeper), `shared_book` (sessions).
"""
