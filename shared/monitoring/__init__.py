"""How a model does once it serves: its checks, what they find, and how they tell it."""
