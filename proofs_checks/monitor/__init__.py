"""How far a LoRA run has gone, by its live factors: a pure monitor, and a callback of transformers' Trainer."""
