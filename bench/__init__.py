"""What Hindsight claims to reach, measured: each module prints what it sees and writes it under ``out/bench``."""
