"""One file a part of the stack; each check is a function of the stack that returns what it saw as values."""
