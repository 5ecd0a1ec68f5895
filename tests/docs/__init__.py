"""The documents held against the program and its source."""
