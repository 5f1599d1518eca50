"""The report: one HTML page that needs no network, and figures for a paper."""
