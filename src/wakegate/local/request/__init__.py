"""The way of a request: accept -> touch -> wake -> hold -> forward; `answer` where the gateway answers itself."""
