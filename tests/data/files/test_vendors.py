"""Exports of vendors, brokers and exchanges load without options, with the right stamps and numbers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import maestro as ms


@dataclass(frozen=True)
class Case:
    """One export and what must come out of it.

    `first` and `last` are (stamp in UTC, open, high, low, close, volume).
    """

    file: str
    content: str | bytes | Callable[[Path], None]
    rows: int
    timeframe: str
    first: tuple[Any, ...]
    last: tuple[Any, ...]
    symbol: str = ""
    note: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def packed(*members: tuple[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members:
            archive.writestr(name, text)
    return buffer.getvalue()


def yfinance_frame(tickers: list[str], days: list[str]) -> pd.DataFrame:
    """What `yf.download` returns: columns of two levels, Price and Ticker."""
    names = ["Close", "High", "Low", "Open", "Volume"]
    columns = pd.MultiIndex.from_product([names, tickers], names=["Price", "Ticker"])
    values = {"Close": 101.5, "High": 102.0, "Low": 99.0, "Open": 100.0, "Volume": 5000.0}
    table = [
        [values[n] + 10 * row + 100 * place for n in names for place in range(len(tickers))] for row in range(len(days))
    ]
    return pd.DataFrame(table, index=pd.DatetimeIndex(days, name="Date"), columns=columns)


def _yfinance_csv(path: Path) -> None:
    yfinance_frame(["MSFT"], ["2024-01-02", "2024-01-03", "2024-01-04"]).to_csv(path)


def _yfinance_several_csv(path: Path) -> None:
    yfinance_frame(["MSFT", "BRK-B"], ["2024-01-02", "2024-01-03", "2024-01-04"]).to_csv(path)


def _yfinance_several_parquet(path: Path) -> None:
    yfinance_frame(["MSFT", "BRK-B"], ["2024-01-02", "2024-01-03", "2024-01-04"]).to_parquet(path)


def _freqtrade_feather(path: Path) -> None:
    stamps = pd.date_range("2024-01-01", periods=3, freq="5min", tz="UTC")
    rows = {"date": stamps, "open": [1.0, 2, 3], "high": [2.0, 3, 4], "low": [0.5, 1, 2], "close": [2.0, 3, 3.5]}
    pd.DataFrame({**rows, "volume": [10.0, 20, 30]}).to_feather(path)


def _excel(path: Path) -> None:
    days = pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-02"])
    rows = {"Datum": days, "Eröffnung": [1.5, 2, 3], "Hoch": [2.5, 3, 4], "Tief": [1.0, 1, 2], "Schluss": [2.0, 3, 3.5]}
    table = pl.DataFrame({**{name: list(values) for name, values in rows.items()}, "Volumen": [10, 20, 30]})
    table.write_excel(path)


CASES = [
    Case("yfinance.csv", _yfinance_csv, 3, "1d", ("2024-01-02", 100, 102, 99, 101.5, 5000),
         ("2024-01-04", 120, 122, 119, 121.5, 5020), "MSFT"),
    Case("yfinance_2.csv", _yfinance_several_csv, 3, "1d", ("2024-01-02", 200, 202, 199, 201.5, 5100),
         ("2024-01-04", 220, 222, 219, 221.5, 5120), "BRK-B", options={"symbol": "BRK-B"}),
    Case("yfinance_2.parquet", _yfinance_several_parquet, 3, "1d", ("2024-01-02", 200, 202, 199, 201.5, 5100),
         ("2024-01-04", 220, 222, 219, 221.5, 5120), "BRK-B", options={"symbol": "BRK-B"}),
    Case("yfinance_hourly.csv",
         "Datetime,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
         "2024-03-08 14:30:00-05:00,1,2,0.5,1.5,10,0.0,0.0\n2024-03-08 15:30:00-05:00,2,3,1,2.5,20,0.0,0.0\n"
         "2024-03-11 09:30:00-04:00,3,4,2,3.5,30,0.0,0.0\n2024-03-11 10:30:00-04:00,4,5,3,4.5,40,0.0,0.0\n",
         4, "1h", ("2024-03-08T19:30", 1, 2, 0.5, 1.5, 10), ("2024-03-11T14:30", 4, 5, 3, 4.5, 40)),
    Case("7203.T.csv",
         "Date,Open,High,Low,Close,Volume\n2024-04-01 00:00:00+09:00,3800,3850,3780,3820,1000\n"
         "2024-04-02 00:00:00+09:00,3820,3860,3790,3830,2000\n2024-04-03 00:00:00+09:00,3830,3870,3800,3840,3000\n",
         3, "1d", ("2024-04-01", 3800, 3850, 3780, 3820, 1000), ("2024-04-03", 3830, 3870, 3800, 3840, 3000)),
    Case("SAP.DE.csv",
         "Date,Open,High,Low,Close,Volume\n2024-03-28 00:00:00+01:00,180,182,179,181,100\n"
         "2024-04-02 00:00:00+02:00,181,183,180,182,200\n2024-04-03 00:00:00+02:00,182,184,181,183,300\n",
         3, "1d", ("2024-03-28", 180, 182, 179, 181, 100), ("2024-04-03", 182, 184, 181, 183, 300)),
    Case("EURUSD_M15.csv",
         "2024.01.02,00:00,1.10400,1.10450,1.10390,1.10420,210\n2024.01.02,00:15,1.10420,1.10470,1.10400,1.10440,190\n"
         "2024.01.02,00:30,1.10440,1.10460,1.10410,1.10430,170\n",
         3, "15m", ("2024-01-02T00:00", 1.104, 1.1045, 1.1039, 1.1042, 210),
         ("2024-01-02T00:30", 1.1044, 1.1046, 1.1041, 1.1043, 170)),
    Case("XAUUSD_H4.csv",
         "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
         "2024.01.02\t00:00:00\t2063.1\t2066.0\t2062.5\t2065.2\t3100\t0\t12\n"
         "2024.01.02\t04:00:00\t2065.2\t2070.4\t2064.8\t2069.9\t4200\t0\t12\n"
         "2024.01.02\t08:00:00\t2069.9\t2072.0\t2066.1\t2067.3\t5300\t0\t12\n",
         3, "4h", ("2024-01-02T00:00", 2063.1, 2066, 2062.5, 2065.2, 3100),
         ("2024-01-02T08:00", 2069.9, 2072, 2066.1, 2067.3, 5300)),
    Case("BINANCE_SOLUSDT, 60.csv",
         "time,open,high,low,close,Basis,Upper,Lower,Volume MA,Volume\n"
         "1704067200,101,103,100,102,99,105,93,777,1500\n1704070800,102,104,101,103,99,105,93,777,1600\n"
         "1704074400,103,105,102,104,99,105,93,777,1700\n",
         3, "1h", ("2024-01-01T00:00", 101, 103, 100, 102, 1500), ("2024-01-01T02:00", 103, 105, 102, 104, 1700)),
    Case("ETHUSD_60.csv",
         "1704067200,2281.9,2290.0,2275.5,2288.1,512.25,900\n1704070800,2288.1,2299.9,2280.0,2295.4,401.5,800\n"
         "1704074400,2295.4,2300.0,2290.2,2291.7,300.75,700\n",
         3, "1h", ("2024-01-01T00:00", 2281.9, 2290, 2275.5, 2288.1, 512.25),
         ("2024-01-01T02:00", 2295.4, 2300, 2290.2, 2291.7, 300.75)),
    Case("ETHUSDT-1h.csv",
         "1735682400000,3300,3310,3290,3305,100,1735685999999,330000,50,60,198000,0\n"
         "1735686000000,3305,3315,3300,3310,110,1735689599999,363000,50,60,198000,0\n"
         "1735689600000000,3310,3320,3305,3315,120,1735693199999999,397000,50,60,198000,0\n"
         "1735693200000000,3315,3325,3310,3320,130,1735696799999999,431000,50,60,198000,0\n",
         4, "1h", ("2024-12-31T22:00", 3300, 3310, 3290, 3305, 100), ("2025-01-01T01:00", 3315, 3325, 3310, 3320, 130)),
    Case("spx_d.csv",
         "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
         "^SPX,D,20240102,000000,4745.2,4754.33,4722.67,4742.83,2050000,0\n"
         "^SPX,D,20240103,000000,4725.07,4729.29,4699.71,4704.81,2060000,0\n"
         "^SPX,D,20240104,000000,4697.42,4726.78,4687.53,4688.68,2070000,0\n",
         3, "1d", ("2024-01-02", 4745.2, 4754.33, 4722.67, 4742.83, 2050000),
         ("2024-01-04", 4697.42, 4726.78, 4687.53, 4688.68, 2070000), "^SPX"),
    Case("wig20_d.csv",
         "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\n2024-01-02,2350.1,2370.5,2340.2,2360.3,21000000\n"
         "2024-01-03,2360.3,2365.0,2320.4,2330.6,22000000\n2024-01-04,2330.6,2345.7,2325.8,2340.9,23000000\n",
         3, "1d", ("2024-01-02", 2350.1, 2370.5, 2340.2, 2360.3, 21000000),
         ("2024-01-04", 2330.6, 2345.7, 2325.8, 2340.9, 23000000)),
    Case("USA500.IDXUSD_Candlestick_1_M_BID_02.01.2024-03.01.2024.csv",
         "Gmt time,Open,High,Low,Close,Volume\n02.01.2024 00:00:00.000,4770.1,4771.2,4769.5,4770.8,0.0125\n"
         "02.01.2024 00:01:00.000,4770.8,4772.0,4770.1,4771.5,0.0075\n"
         "02.01.2024 00:02:00.000,4771.5,4771.9,4770.4,4770.6,0.0025\n",
         3, "1m", ("2024-01-02T00:00", 4770.1, 4771.2, 4769.5, 4770.8, 0.0125),
         ("2024-01-02T00:02", 4771.5, 4771.9, 4770.4, 4770.6, 0.0025)),
    Case("DAT_ASCII_GBPUSD_M1_2024.csv",
         "20240101 170000;1.272950;1.273100;1.272900;1.273000;0\n"
         "20240101 170100;1.273000;1.273200;1.272950;1.273150;0\n"
         "20240101 170200;1.273150;1.273300;1.273050;1.273200;0\n",
         3, "1m", ("2024-01-01T17:00", 1.27295, 1.2731, 1.2729, 1.273, 0),
         ("2024-01-01T17:02", 1.27315, 1.2733, 1.27305, 1.2732, 0)),
    Case("histdata.zip", packed(
         ("DAT_ASCII_GBPUSD_M1_202401.txt", "HistData.com: M1 bars in EST without daylight saving\n"),
         ("DAT_ASCII_GBPUSD_M1_202401.csv",
          "20240101 170000;1.27295;1.27310;1.27290;1.27300;0\n20240101 170100;1.27300;1.27320;1.27295;1.27315;0\n")),
         2, "1m", ("2024-01-01T17:00", 1.27295, 1.2731, 1.2729, 1.273, 0),
         ("2024-01-01T17:01", 1.273, 1.2732, 1.27295, 1.27315, 0)),
    Case("INFY.csv",
         '"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ","ltp ","close ","vwap ","52W H","52W L ",'
         '"VOLUME ","VALUE "\n'
         '"04-Jan-2024","EQ","1,530.00","1,540.50","1,520.10","1,528.00","1,535.00","1,534.20","1,531","1,672","1,215",'
         '"45,12,345","6,91,23,45,678"\n'
         '"03-Jan-2024","EQ","1,540.00","1,548.00","1,524.00","1,550.00","1,528.00","1,528.00","1,531","1,672","1,215",'
         '"55,12,345","8,91,23,45,678"\n'
         '"02-Jan-2024","EQ","1,550.00","1,560.00","1,536.00","1,545.00","1,551.00","1,550.00","1,551","1,672","1,215",'
         '"35,12,345","5,91,23,45,678"\n',
         3, "1d", ("2024-01-02", 1550, 1560, 1536, 1550, 3512345),
         ("2024-01-04", 1530, 1540.5, 1520.1, 1534.2, 4512345)),
    Case("cm01JAN2024bhav.csv",
         "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN\n"
         "INFY,EQ,1542,1550,1535,1545,1545,1540,100,154500,01-JAN-2024,5,INE009A01021\n"
         "TCS,EQ,3790,3810,3780,3800,3800,3795,200,760000,01-JAN-2024,6,INE467B01029\n"
         "INFY,EQ,1545,1560,1536,1550,1551,1545,110,170500,02-JAN-2024,5,INE009A01021\n"
         "TCS,EQ,3800,3815,3770,3780,3781,3800,210,793800,02-JAN-2024,6,INE467B01029\n",
         2, "1d", ("2024-01-01", 3790, 3810, 3780, 3800, 200), ("2024-01-02", 3800, 3815, 3770, 3780, 210), "TCS",
         options={"symbol": "TCS"}),
    Case("Tesla Stock Price History.csv",
         '\ufeff"Date","Price","Open","High","Low","Vol.","Change %"\n'
         '"01/16/2024","219.91","215.10","223.49","212.18","115.36M","0.47%"\n'
         '"01/12/2024","218.89","220.08","225.34","217.15","1.2K","-3.67%"\n'
         '"01/11/2024","227.22","230.57","230.93","225.37","0.10B","-2.87%"\n',
         3, "1d", ("2024-01-11", 230.57, 230.93, 225.37, 227.22, 100_000_000.0),
         ("2024-01-16", 215.1, 223.49, 212.18, 219.91, 115_360_000.0)),
    Case("HistoricalData_1704.csv",
         "Date,Close/Last,Volume,Open,High,Low\n01/16/2024,$183.63,65076640,$182.16,$184.26,$180.93\n"
         "01/12/2024,$185.92,40477780,$186.06,$186.74,$185.19\n01/11/2024,$185.59,49128410,$186.54,$187.05,$183.62\n",
         3, "1d", ("2024-01-11", 186.54, 187.05, 183.62, 185.59, 49128410),
         ("2024-01-16", 182.16, 184.26, 180.93, 183.63, 65076640)),
    Case("wkn_716460_historic.csv",
         "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen\n"
         "2024-01-04;139,20;140,12;138,60;139,96;1.234.567;172.000.000\n"
         "2024-01-03;140,00;140,50;138,90;139,10;2.345.678;326.000.000\n"
         "2024-01-02;139,50;141,40;139,00;140,20;1.345.600;188.000.000\n",
         3, "1d", ("2024-01-02", 139.5, 141.4, 139, 140.2, 1345600),
         ("2024-01-04", 139.2, 140.12, 138.6, 139.96, 1234567)),
    Case("cp1252.csv",
         "Datum;Eröffnung;Höchst;Tiefst;Schluß;Stück\n02.01.2024;10,5;11,0;10,1;10,8;1.000\n"
         "03.01.2024;10,8;11,2;10,6;11,1;2.000\n04.01.2024;11,1;11,4;10,9;11,0;3.000\n".encode("cp1252"),
         3, "1d", ("2024-01-02", 10.5, 11, 10.1, 10.8, 1000), ("2024-01-04", 11.1, 11.4, 10.9, 11, 3000)),
    Case("utf16.csv",
         "Date\tOpen\tHigh\tLow\tClose\tVolume\n2024-01-02\t10.5\t11\t10.1\t10.8\t1000\n"
         "2024-01-03\t10.8\t11.2\t10.6\t11.1\t2000\n".encode("utf-16"),
         2, "1d", ("2024-01-02", 10.5, 11, 10.1, 10.8, 1000), ("2024-01-03", 10.8, 11.2, 10.6, 11.1, 2000)),
    Case("Binance_LTCUSDT_1h.csv",
         "https://www.CryptoDataDownload.com\nUnix,Date,Symbol,Open,High,Low,Close,Volume LTC,Volume USDT,tradecount\n"
         "1704074400000,2024-01-01 02:00:00,LTCUSDT,73.2,73.9,73.0,73.5,5000,367000,900\n"
         "1704070800000,2024-01-01 01:00:00,LTCUSDT,73.0,73.4,72.8,73.2,4000,292000,800\n"
         "1704067200000,2024-01-01 00:00:00,LTCUSDT,72.7,73.2,72.5,73.0,3000,219000,700\n",
         3, "1h", ("2024-01-01T00:00", 72.7, 73.2, 72.5, 73, 3000), ("2024-01-01T02:00", 73.2, 73.9, 73, 73.5, 5000),
         "LTCUSDT"),
    Case("coinbase_1min.csv",
         "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price\n"
         "1417411980,300,300,300,300,0.01,3,300\n1417412040,NaN,NaN,NaN,NaN,NaN,NaN,NaN\n"
         "1417412100,301,302,299,300.5,0.02,6,300\n1417412160,300.5,301,300,300.8,0.03,9,300.6\n",
         3, "1m", ("2014-12-01T05:33", 300, 300, 300, 300, 0.01), ("2014-12-01T05:36", 300.5, 301, 300, 300.8, 0.03),
         note="1 row without any price"),
    Case("SOL_USDT-5m.json",
         json.dumps([[1704067200000 + n * 300_000, 1 + n, 3 + n, 0.5 + n, 2 + n, 10 * n] for n in range(3)]),
         3, "5m", ("2024-01-01T00:00", 1, 3, 0.5, 2, 0), ("2024-01-01T00:10", 3, 5, 2.5, 4, 20)),
    Case("SOL_USDT_USDT-5m-futures.feather", _freqtrade_feather, 3, "5m", ("2024-01-01T00:00", 1, 2, 0.5, 2, 10),
         ("2024-01-01T00:10", 3, 4, 2, 3.5, 30)),
    Case("kurse.xlsx", _excel, 3, "1d", ("2024-01-31", 1.5, 2.5, 1, 2, 10), ("2024-02-02", 3, 4, 2, 3.5, 30)),
    Case("ESH24.txt",
         "Date, Time, Open, High, Low, Last, Volume, NumberOfTrades, BidVolume, AskVolume\n"
         "2024/1/2, 09:30:00.0, 4770.25, 4775.50, 4769.00, 4774.75, 12000, 3000, 5900, 6100\n"
         "2024/1/2, 09:31:00.0, 4774.75, 4778.00, 4773.25, 4777.50, 11000, 2900, 5400, 5600\n"
         "2024/1/2, 09:32:00.0, 4777.50, 4779.25, 4775.00, 4775.25, 10000, 2800, 4900, 5100\n",
         3, "1m", ("2024-01-02T14:30", 4770.25, 4775.5, 4769, 4774.75, 12000),
         ("2024-01-02T14:32", 4777.5, 4779.25, 4775, 4775.25, 10000), options={"zone": "America/New_York"}),
    Case("alphavantage.csv",
         "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n"
         "2024-01-04,182.15,183.09,180.88,181.91,180.9,71983570,0.0,1.0\n"
         "2024-01-03,184.22,185.88,183.43,184.25,183.2,58414460,0.0,1.0\n",
         2, "1d", ("2024-01-03", 184.22, 185.88, 183.43, 184.25, 58414460),
         ("2024-01-04", 182.15, 183.09, 180.88, 181.91, 71983570), note="adjusted_close"),
    Case("polygon.json", json.dumps({"ticker": "NVDA", "status": "OK", "resultsCount": 2, "results": [
         {"v": 100.0, "vw": 49.0, "o": 48.0, "c": 49.5, "h": 50.0, "l": 47.5, "t": 1704171600000, "n": 9},
         {"v": 200.0, "vw": 49.0, "o": 49.5, "c": 48.5, "h": 50.5, "l": 48.0, "t": 1704258000000, "n": 9}]}),
         2, "1d", ("2024-01-02", 48, 50, 47.5, 49.5, 100), ("2024-01-03", 49.5, 50.5, 48, 48.5, 200),
         options={"zone": "America/New_York"}),
    Case("okx.json", json.dumps({"code": "0", "msg": "", "data": [
         ["1704070800000", "2", "4", "1", "3", "20", "60", "60", "1"],
         ["1704067200000", "1", "3", "0.5", "2", "10", "20", "20", "1"]]}),
         2, "1h", ("2024-01-01T00:00", 1, 3, 0.5, 2, 10), ("2024-01-01T01:00", 2, 4, 1, 3, 20)),
    Case("ninja.txt",
         "20240102 093000;4770.25;4775.50;4769.00;4774.75;12000\n"
         "20240102 093100;4774.75;4778.00;4773.25;4777.50;11000\n",
         2, "1m", ("2024-01-02T09:30", 4770.25, 4775.5, 4769, 4774.75, 12000),
         ("2024-01-02T09:31", 4774.75, 4778, 4773.25, 4777.5, 11000)),
    Case("tradestation.txt",
         '"Date","Time","Open","High","Low","Close","Up","Down"\n01/29/2024,09:35,10.5,11,10.1,10.8,600,400\n'
         "01/29/2024,09:40,10.8,11.2,10.6,11.1,700,300\n01/29/2024,09:45,11.1,11.3,10.9,11.0,500,500\n",
         3, "5m", ("2024-01-29T09:35", 10.5, 11, 10.1, 10.8, 0), ("2024-01-29T09:45", 11.1, 11.3, 10.9, 11, 0),
         note="no volume"),
    Case("kline_close.csv",
         "close_time,open,high,low,close,volume\n2024-01-01 00:59:59.999,1,3,0.5,2,10\n"
         "2024-01-01 01:59:59.999,2,4,1,3,20\n2024-01-01 02:59:59.999,3,5,2,4,30\n",
         3, "1h", ("2024-01-01T00:00", 1, 3, 0.5, 2, 10), ("2024-01-01T02:00", 3, 5, 2, 4, 30),
         options={"stamps": "close"}),
    Case("ampm.csv",
         "Date,Open,High,Low,Close,Volume\n1/31/2024 11:00:00 AM,1,3,0.5,2,10\n1/31/2024 12:00:00 PM,2,4,1,3,20\n"
         "1/31/2024 1:00:00 PM,3,5,2,4,30\n",
         3, "1h", ("2024-01-31T11:00", 1, 3, 0.5, 2, 10), ("2024-01-31T13:00", 3, 5, 2, 4, 30)),
    Case("compact.csv",
         "timestamp,open,high,low,close,volume\n20240101153000,1,3,0.5,2,10\n20240101154500,2,4,1,3,20\n"
         "20240101160000,3,5,2,4,30\n",
         3, "15m", ("2024-01-01T15:30", 1, 3, 0.5, 2, 10), ("2024-01-01T16:00", 3, 5, 2, 4, 30)),
    Case("months.csv", "Month,Open,High,Low,Close,Volume\n202311,1,3,0.5,2,10\n202312,2,4,1,3,20\n202401,3,5,2,4,30\n",
         3, "1mo", ("2023-11-01", 1, 3, 0.5, 2, 10), ("2024-01-01", 3, 5, 2, 4, 30)),
    Case("serials.csv", "Date,Open,High,Low,Close,Volume\n45292,1,3,0.5,2,10\n45293,2,4,1,3,20\n45294,3,5,2,4,30\n",
         3, "1d", ("2024-01-01", 1, 3, 0.5, 2, 10), ("2024-01-03", 3, 5, 2, 4, 30)),
    Case("all_stocks_5yr.csv",
         "date,open,high,low,close,volume,Name\n2013-02-08,15.07,15.12,14.63,14.75,8407500,AAL\n"
         "2013-02-11,14.89,15.01,14.26,14.46,8882000,AAL\n2013-02-08,67.71,68.4,66.89,67.85,158168416,AAPL\n"
         "2013-02-11,68.07,69.28,67.61,68.56,129029425,AAPL\n2013-02-12,68.5,68.91,66.82,66.84,151829363,AAPL\n",
         3, "1d", ("2013-02-08", 67.71, 68.4, 66.89, 67.85, 158168416),
         ("2013-02-12", 68.5, 68.91, 66.82, 66.84, 151829363),
         "AAPL", options={"symbol": "AAPL"}),
    Case("ccxt.csv",
         "timestamp,open,high,low,close,volume,symbol\n1704067200000,1,3,0.5,2,10,BTC/USDT:USDT\n"
         "1704153600000,2,4,1,3,20,BTC/USDT:USDT\n",
         2, "1d", ("2024-01-01", 1, 3, 0.5, 2, 10), ("2024-01-02", 2, 4, 1, 3, 20), "BTC/USDT:USDT"),
    Case("novolume.csv", "Date;Open;High;Low;Close\n31-01-2024;1,5;3,5;0,5;2,5\n01-02-2024;2,5;4,5;1,5;3,5\n",
         2, "1d", ("2024-01-31", 1.5, 3.5, 0.5, 2.5, 0), ("2024-02-01", 2.5, 4.5, 1.5, 3.5, 0), note="no volume"),
    Case("thousands.csv", "date;open;high;low;close;volume\n2024-01-02;41,234;41,500;41,000;41,300;1,250\n"
         "2024-01-03;41,300;41,900;41,200;41,800;2,500\n2024-01-04;41,800;42,000;41,500;41,600;10,250,000\n",
         3, "1d", ("2024-01-02", 41234, 41500, 41000, 41300, 1250),
         ("2024-01-04", 41800, 42000, 41500, 41600, 10250000)),
    Case("adjusted.csv", "Date,Open,High,Low,Close,Volume\n2024-01-02,10,10.499999999999998,9,10.5,1\n"
         "2024-01-03,10,11,9,10.5,1\n", 2, "1d", ("2024-01-02", 10, 10.5, 9, 10.5, 1),
         ("2024-01-03", 10, 11, 9, 10.5, 1),
         note="widened by a last bit"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_an_export_loads_as_it_is(tmp_path: Path, case: Case) -> None:
    path = tmp_path / case.file
    if callable(case.content):
        case.content(path)
    elif isinstance(case.content, bytes):
        path.write_bytes(case.content)
    else:
        path.write_text(case.content, encoding="utf-8")
    bars = ms.load(path, **case.options)
    assert (len(bars), bars.timeframe) == (case.rows, case.timeframe)
    for place, expected in ((0, case.first), (-1, case.last)):
        found = [float(getattr(bars, name)[place]) for name in ("open", "high", "low", "close", "volume")]
        at = datetime.fromisoformat(expected[0]).replace(tzinfo=UTC)
        assert (int(bars.time[place]), found) == (round(at.timestamp() * 1e6), list(expected[1:]))
    if case.symbol:
        assert bars.symbol == case.symbol
    assert case.note in " ".join(bars.notes)
