"""In your AWS account: an HTTP API in front of two Lambda functions, ECS Fargate behind them, DynamoDB for the record.

`startup.py` serves requests: accept -> touch -> wake -> hold -> forward. `cleanup.py` is the tick: idle -> drain ->
stop, and repairs what an invocation that died has left. What they ask of AWS goes through the Protocols of `cloud.py`.
"""
