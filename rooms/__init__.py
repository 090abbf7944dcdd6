"""The domain: who meets whom, when, what happened, and what follows from it."""
