"""Trained adapters kept off directions that the theorems call dangerous, or scaled until a criterion holds."""
