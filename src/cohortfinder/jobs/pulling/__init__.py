"""The stages of a pull: what is asked, how it is fetched, what follows from what came, and what is noted of it."""
