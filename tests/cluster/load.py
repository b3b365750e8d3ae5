# SPDX-License-Identifier: Apache-2.0
"""What the exchanges said, and the load: questions with keys to both servers, each answer judged at once.

A figure of the simulated exchanges holds for a whole minute, so each minute is asked of them once, in
their own formats, by code that shares nothing with the program.
"""
import calendar
import http.client
import json
import random
import re
import threading
import time
from decimal import Decimal

from processes import KEYS
from rig import ask

CALLERS = 4
PAUSE = 0.1
# An error takes no longer.
ERROR_MAX = 1.0


def _bybit(get):
    """Of a bundle of coins (1000PEPEUSDT) the figure counts bundles."""
    found = {}
    for row in get("api.bybit.com", "/v5/market/tickers?category=linear")["result"]["list"]:
        bundle = re.search("1000+|1M", row["symbol"])
        coins = int(bundle[0].replace("M", "000000")) if bundle else 1
        found[f"bybit:linear:{row['symbol']}"] = Decimal(row["singleOpenInterest"]) * coins
    return found


def _okx(get):
    """Three digits of it, where the number of contracts has more."""
    rows = get("www.okx.com", "/api/v5/public/open-interest?instType=SWAP")["data"]
    return {f"okx:swap:{row['instId']}": Decimal(row["oiCcy"]) for row in rows}


def _hyperliquid(get):
    """It counts both sides, and small coins (kPEPE) by the thousand."""
    meta, states = get("api.hyperliquid.xyz", "/info", '{"type":"metaAndAssetCtxs"}')
    return {f"hyperliquid:perp:{coin['name']}":
            Decimal(state["openInterest"]) / 2 * (1000 if coin["name"].startswith("k") else 1)
            for coin, state in zip(meta["universe"], states) if not coin.get("isDelisted")}


def is_same(text, truth):
    """Up to the last digit that the exchange told, or the fifteenth."""
    least = max(Decimal(1).scaleb(truth.as_tuple().exponent), abs(truth) / 10**15)
    return text is not None and abs(Decimal(text) - truth) < least


def minute_text(minute):
    """As answers write it."""
    return time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(minute * 60))


class Truth(threading.Thread):
    """{minute: {market: open interest}} of all minutes that were asked for while they held."""

    def __init__(self, simulator):
        super().__init__(daemon=True)
        self.simulator, self.minutes, self.stopping = simulator, {}, threading.Event()

    def get(self, host, path, body=None):
        """An exchange's answer."""
        status, text = ask(self.simulator.port, path, method="POST" if body else "GET", body=body,
                           headers={"Host": host, "Content-Type": "application/json"})
        assert status == 200, f"{host}{path}: {status}"
        return json.loads(text)

    def look(self):
        """The present minute, if all of it could be asked within it."""
        minute = int(time.time() // 60)
        if minute in self.minutes:
            return
        found = {}
        for ask_exchange in (_bybit, _okx, _hyperliquid):
            found |= ask_exchange(self.get)
        if int(time.time() // 60) == minute:
            self.minutes[minute] = found

    def run(self):
        while not self.stopping.wait(0.5):
            self.look()

    def figure(self, market, at):
        """What the exchange said, or None where that is not known."""
        minute = calendar.timegm(time.strptime(at, "%Y-%m-%dT%H:%M:%SZ")) // 60
        return self.minutes.get(minute, {}).get(market)


class Load:
    """Callers that go on asking; what they got, counted."""

    def __init__(self, servers, truth, seed):
        self.servers, self.truth = servers, truth
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.granted = dict.fromkeys(KEYS, 0)
        self.statuses = {}
        self.samples = {}  # {status: the first body}
        self.wrong = []   # sentences
        self.slow = []    # of errors
        self.slowest = 0.0
        self.known = {}   # {(server, market): times that it has answered}
        self.next_key = 0
        self.threads = [threading.Thread(target=self._call, args=(seed * 1000 + number,), daemon=True)
                        for number in range(CALLERS)]

    def start(self):
        """Begin."""
        for thread in self.threads:
            thread.start()

    def stop(self):
        """End; every answer is counted then."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def take_key(self):
        """One that nobody else uses, or None when all are used up."""
        with self.lock:
            self.next_key += 1
            return KEYS[self.next_key - 1] if self.next_key <= len(KEYS) else None

    def _call(self, seed):
        choice = random.Random(seed)
        key, over = self.take_key(), set()
        while key and not self.stopping.is_set():
            server = choice.choice(self.servers)
            if self.ask(server, key, choice) == 402:
                over.add(server.name)
            if len(over) == len(self.servers):
                key, over = self.take_key(), set()
            time.sleep(PAUSE)

    def ask(self, server, key, choice):
        """One question; its status, or None when nobody answered."""
        minutes = list(self.truth.minutes)
        if not minutes:
            return None
        market = choice.choice(sorted(self.truth.minutes[minutes[0]]))
        start = minute_text(minutes[0])
        path = choice.choice([
            f"/oi/v1/open-interest?market={market}&start={start}&unit=coins&limit=1000",
            f"/oi/v1/open-interest?market={market}&start={start}&unit=coins&limit=1000&format=ndjson",
            f"/oi/v1/open-interest?market={market}&start={start}&unit=coins&interval=1m&limit=1000",
            f"/oi/v1/latest?market={market}",
        ])
        with self.lock:
            before = set(self.known.get((server.name, market), ()))
        began = time.monotonic()
        try:
            status, body = ask(server.port, path, 10, headers={"Authorization": f"Bearer {key}"})
        except (OSError, http.client.HTTPException) as error:
            status, body = type(error).__name__, ""
        took = time.monotonic() - began
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.slowest = max(self.slowest, took)
            if status == 200:
                self.granted[key] += 1
                self.judge(server, market, path, body, before)
                return status
            if status != 402:
                self.samples.setdefault(status, f"{server.name}: {body[:200]}")
            if status != 402 and took > ERROR_MAX:
                self.slow.append(f"{took:.2f} s for {status} of {server.name}: {path}")
        return status

    def judge(self, server, market, path, body, before):
        """An answer is the truth: each row is what the exchange said, once, and none is gone again."""
        try:
            if "ndjson" in path:
                rows = [json.loads(line) for line in body.splitlines()]
            else:
                rows = json.loads(body)["data"]
        except (ValueError, KeyError) as error:
            self.wrong.append(f"{path}: {error}: {body[:200]}")
            return
        is_candle, is_latest = "interval=" in path, "/latest" in path
        times = [row["start" if is_candle else "time"] for row in rows]
        if len(set(times)) != len(times) and not is_latest:
            self.wrong.append(f"{server.name}: {path}: a row twice: {times}")
        for at, row in zip(times, rows):
            figure = row["close" if is_candle else "open_interest"]
            truth = self.truth.figure(market, at)
            if truth is not None and not is_same(figure, truth):
                self.wrong.append(f"{server.name}: {path}: {at} is {figure}, not {truth}")
        if is_latest:
            return
        if gone := before - set(times):
            self.wrong.append(f"{server.name}: {path}: rows are gone: {sorted(gone)}")
        self.known.setdefault((server.name, market), set()).update(times)
