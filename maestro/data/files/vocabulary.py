"""The words that exchanges, vendors and finance sites use for the columns of bars, in lower case."""

from __future__ import annotations


def _words(text: str) -> dict[str, int]:
    """Words with their rank: the first ones are the most usual."""
    return {word: rank for rank, word in enumerate(text.split())}


# English, then German, Polish, French, Spanish, Italian, Portuguese, Russian, Turkish, Japanese, Chinese and Korean;
# accents are dropped before words are compared.
_PRICES = {
    "open": """
        open opening o openprice priceopen erster eroffnung
        eroffnungskurs eroffn otwarcie ouverture ouv apertura abertura
        открытие откр acilis 始値 开盘 开盘价 시가
    """,
    "high": """
        high h highprice pricehigh max maximum hoch hochst tageshoch najwyzszy haut plushaut maximo massimo maxima
        максимум макс yuksek 高値 最高 最高价 고가
    """,
    "low": """
        low l lowprice pricelow min minimum tief tiefst tagestief najnizszy bas plusbas minimo minima минимум мин dusuk
        安値 最低 最低价 저가
    """,
    "close": """
        close closing c closeprice priceclose last settle settlement ltp schluss schlusskurs zuletzt letzter zamkniecie
        cloture clot dernier cierre ultimo chiusura fechamento закрытие закр kapanis simdi 終値 收盘 收盘价 종가
    """,
}
FIELD_OF = {word: (field, rank) for field, text in _PRICES.items() for word, rank in _words(text).items()}
"""Price and rank of each word."""
PRICE = set(_words("price цена preis prix precio prezzo preco kurs fiyat cena"))
"""Words that mean the close beside an open, a high and a low."""
NOISE = set(_words("price prices px prc kurs bar rate"))
"""Words that say nothing beside another one."""

EXACT_VOLUME = set(
    _words("""
        volume vol v volumen wolumen basevolume volumebase qty quantity shares stuck stucke stuecke umsatz
        totaltradedquantity tottrdqty ttltrdqty ttltrdqnty noofshares volumetraded объем объём
        hacim 出来高 成交量 거래량
    """)
)
TICK_VOLUME = set(_words("tickvolume tickvol ticks tickcount"))
VOLUME = set(_words("volume vol volumen volumes"))
"""Words that a longer name of a volume holds."""
PLAIN_VOLUME = set(_words("base traded total real from trade contracts"))
"""Words beside which it is still the volume."""
QUOTED = set(_words("quote ccy currency turnover value notional amount"))
"""Words beside which it is the volume in the quote currency."""
DERIVED = QUOTED | set(
    _words("""
        ma sma ema wma avg average mean ratio change chg delta profile osc oscillator up down buy sell taker maker bid
        ask rel relative std zscore percent pct weighted rank prev previous pre off hours trend index
    """)
)
"""Words beside which it is something made of the volume, or a part of it."""

STAMPS = _words("""
    opentime timeopen starttime timestart startat start begin candlebegintime windowstart timeperiodstart bartime
    timestamp datetime dateandtime datetimeutc dateutc tradedate tradingdate tradingday date time ts tsevent gmttime
    utctime timeutc localtime timegmt unix unixtime unixtimestamp epoch mts snappedat dt day t month datum zeitstempel
    zeit data fecha дата tarih 日付 日時 日期 时间 交易日期 날짜 일자 dtyyyymmdd
    index level0 level1 indexlevel0 indexlevel1 unnamed0
""")
"""Words for the stamps of the open, with their rank."""
CLOSING = set(_words("closetime timeclose endtime timeend timeperiodend endat end"))
"""Words for the stamps of the close."""
TIMES = set(_words("time hour zeit hora heure czas godzina timestamp ora время saat 时间 時刻"))
"""Words for a time of day in a column of its own."""
INDICES = {"", *_words("index level0 level1 indexlevel0 indexlevel1 unnamed0")}
"""Names that pandas gives an index without one."""

SYMBOLS = _words("""
    symbol ticker tic tscode code instrument instrumentid pair asset coin contract product productid market security
    stock isin cusip permno ric secid name 代码 股票代码
""")
"""Words for the symbol, with their rank."""
SIDES = set(_words("bid ask mid trade mark index"))
"""Words before prices of one side of the market."""
ADJUSTED = {"adj", "adjusted"}
NOT_SYMBOLS = SIDES | ADJUSTED | set(_words("raw unadjusted usd eur gbp jpy cny usdt btc local"))
"""Words beside prices that do not name a symbol."""

SERIES = {
    "funding_rate": ("fundingrate", "funding"),
    "funding_count": ("fundingcount",),
    "open_interest": ("openinterest", "openint", "oi", "sumopeninterest"),
    "basis": ("basis",),
}
"""Names of the further series."""
