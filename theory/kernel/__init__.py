"""The kernel that checks derivations: every rule verifies that its premises entail its statement."""
