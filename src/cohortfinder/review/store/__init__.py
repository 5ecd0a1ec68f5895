"""The review store: what people enter, in a database of its own that no nightly run writes to."""
