"""Plaint's speed beside a peer and a floor, measured in one run: `make bench` or `python -m benchmarks`. Linux only."""
