"""Packs: many small objects of the lake in few large ones, each with its name and digest."""
