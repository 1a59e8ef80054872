"""How long the server works for each page; `make bench` runs it."""
