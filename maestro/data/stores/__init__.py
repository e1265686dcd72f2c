"""Stores of market data behind one protocol: Parquet files, a QuestDB server, memory, and caching wrappers."""

from maestro.data.stores.cache import CachedStore
from maestro.data.stores.keys import SeriesKey
from maestro.data.stores.memory import MemoryStore
from maestro.data.stores.opening import STORES, configured_store, open_store
from maestro.data.stores.parquet import ParquetStore
from maestro.data.stores.protocol import SeriesInfo, Store, StoreKind
from maestro.data.stores.questdb import QuestDBStore
from maestro.data.stores.recent import RecentStore
from maestro.data.stores.rows import AppendResult

__all__ = [
    "STORES",
    "AppendResult",
    "CachedStore",
    "MemoryStore",
    "ParquetStore",
    "QuestDBStore",
    "RecentStore",
    "SeriesInfo",
    "SeriesKey",
    "Store",
    "StoreKind",
    "configured_store",
    "open_store",
]
