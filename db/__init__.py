"""The shared database and everything that reads or changes it, one module per noun."""
