"""Where state outlives the gateway: `state_dir` takes the directory, `sqlite` keeps records, wakes and sessions in it.

Below `sqlite`: `database` (one connection, its errors), `schema` (the tables), `rows` (values to rows and back) and
`stamp` (the time in a row).
"""
