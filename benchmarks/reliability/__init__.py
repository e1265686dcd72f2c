"""``python -m benchmarks reliability``: break things on purpose, count failures, write docs/reliability.md."""
