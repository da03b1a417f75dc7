"""What the account's own tests put into it: a stack with one of everything, an app, and functions made by hand."""
