"""What Maestro costs in time and memory, each figure beside its peer measured in the same run."""
