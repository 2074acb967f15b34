"""From feedback to labels: ``label = resolve(prediction, events, rules, as_of)``."""
