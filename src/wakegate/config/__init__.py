"""What the user wrote, made into a `Spec`: one table of settings is the parser, the defaults, the docs and the schema.

file -> environment -> build -> check: `read.read` takes them in this order and raises every problem at once.
The table is `settings.SETTINGS`; `changes.changes` says what a reload changes; `starter.starter` writes a first file.
"""
