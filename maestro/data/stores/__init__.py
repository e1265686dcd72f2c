"""Stores of market data: one protocol; Parquet files, a QuestDB server, memory, and wrappers that keep rows near."""

from maestro.data.stores.keys import SeriesKey
from maestro.data.stores.memory import MemoryStore
from maestro.data.stores.protocol import SeriesInfo, Store
from maestro.data.stores.rows import AppendResult

__all__ = ["AppendResult", "MemoryStore", "SeriesInfo", "SeriesKey", "Store"]
