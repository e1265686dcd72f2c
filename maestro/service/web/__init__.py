"""The HTTP interface of the service; FastAPI is imported here and nowhere else."""
