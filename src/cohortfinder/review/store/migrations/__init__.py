"""The layouts of the review store, oldest first; a store of any of them becomes one of the newest."""
