"""HTTP/1.1 without I/O: `head` parses and rewrites heads, `framing` delimits bodies, `upgrade` joins connections."""
