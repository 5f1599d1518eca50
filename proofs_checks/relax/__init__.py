"""The model without one assumption: small exact instances, what they measure, and the search among them."""
