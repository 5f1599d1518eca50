"""Audit of real models and adapters: which hypotheses of the theorems hold, and what the theorems then say."""
