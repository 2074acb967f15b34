"""Benches of the reach that Hindsight claims: each module prints its figures and writes them to ``out/bench``."""
