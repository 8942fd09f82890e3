"""The security master in the desk: dated names, one share for one name, and nothing changed by what cannot be read."""

import datetime as dt
import http.server
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.conf import settings
from django.test import override_settings

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotAllowed, NotFound, Unavailable
from tests.trading import masters
from trading.adapters.breeze import master as archive
from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.errors import Transient
from trading.core.errors import Invalid
from trading.models import Instrument, Listing, MasterFile
from trading.services import instruments

pytestmark = pytest.mark.django_db

MONDAY = dt.datetime(2026, 11, 23, 8, 5, tzinfo=IST)
DAY = MONDAY.date()
EVERYTHING = (*masters.SHARES, *masters.NOISE)


def later(days):
    return MONDAY + dt.timedelta(days=days)


def load(*rows, at=MONDAY, force=False):
    return instruments.load(masters.archive(*rows), at=at, source="test", force=force)


def changed(row, **named):
    """Return a share's row with other names."""
    order = ("symbol", "code", "token", "series", "company", "isin", "face")
    return tuple(named.get(name, value) for name, value in zip(order, row, strict=True))


def state():
    """Return every row a reading could change."""
    return [list(model.objects.order_by("pk").values()) for model in (Listing, Instrument, MasterFile)]


def dated(symbol):
    rows = Listing.objects.filter(symbol=symbol).order_by("since", "id")
    return [(row.isec_code, row.series, row.since.day, row.until.day if row.until else None) for row in rows]


# reading


def test_a_reading_leaves_names_shares_and_a_record_of_itself():
    reading = load(*EVERYTHING)
    assert Listing.objects.count() == Instrument.objects.count() == len(masters.SHARES)
    row = Listing.objects.get(symbol="RELIANCE")
    assert (row.isec_code, row.token, row.isin, row.series, row.since, row.until) == (
        "RELIND", "2885", "INE002A01018", "EQ", DAY, None,
    )  # fmt: skip
    assert (row.company, row.face_value) == ("RELIANCE INDUSTRIES", 10)
    share = Instrument.objects.get(symbol="RELIANCE")
    assert (share.name, share.isec_code, share.token, share.isin) == (
        "RELIANCE INDUSTRIES", "RELIND", "2885", "INE002A01018",
    )  # fmt: skip
    file = MasterFile.objects.get()
    assert (file.day, file.rows, file.usable, len(file.digest)) == (DAY, len(EVERYTHING), len(masters.SHARES), 64)
    assert ["HDFCBANK", "W1 1467 (HDFCW1) set aside: EQ 1333 (HDFBAN) is used"] in file.refused
    assert ["360ONE", "also the code of MSCIINDIA; it means the NSE symbol"] in file.refused
    assert (reading.changes.added, reading.changes.changed, reading.changes.closed) == (len(masters.SHARES), 0, 0)


def test_a_text_file_and_an_archive_on_disk_are_read_alike(tmp_path):
    (tmp_path / "NSEScripMaster.txt").write_text(masters.text(*masters.SHARES))
    (tmp_path / "SecurityMaster.zip").write_bytes(masters.archive(*masters.SHARES))
    first = instruments.load(tmp_path / "NSEScripMaster.txt", at=MONDAY)
    second = instruments.load(str(tmp_path / "SecurityMaster.zip"), at=MONDAY)
    assert (first.file.usable, second.changes.added, second.changes.changed) == (len(masters.SHARES), 0, 0)
    assert second.file.source.endswith("SecurityMaster.zip")


def test_the_same_file_on_the_same_day_changes_nothing():
    load(*EVERYTHING)
    before = state()
    assert load(*EVERYTHING, at=later(0.3)).fresh is False
    assert state() == before


def test_the_same_file_on_the_next_day_is_a_reading_without_changes():
    load(*EVERYTHING)
    names = list(Listing.objects.order_by("pk").values())
    assert load(*EVERYTHING, at=later(1)).fresh
    assert list(Listing.objects.order_by("pk").values()) == names
    assert [file.day.day for file in MasterFile.objects.all()] == [24, 23]


@pytest.mark.parametrize(
    "change", [{"code": "RELNEW"}, {"token": "2886"}, {"isin": "INE002A01026"}, {"series": "BE"}], ids=str
)
def test_a_changed_name_closes_the_old_row_with_the_day_before(change):
    load(*masters.SHARES)
    reading = load(changed(masters.RELIANCE, **change), *masters.SHARES[1:], at=later(2))
    old, new = Listing.objects.filter(symbol="RELIANCE").order_by("since")
    assert (old.since, old.until, new.since, new.until) == (DAY, dt.date(2026, 11, 24), dt.date(2026, 11, 25), None)
    assert (old.isec_code, old.token, old.series) == ("RELIND", "2885", "EQ")
    assert (reading.changes.added, reading.changes.changed, reading.changes.closed) == (0, 1, 0)
    share = Instrument.objects.get(symbol="RELIANCE")
    assert (share.isec_code, share.token, share.isin, share.series) == (new.isec_code, new.token, new.isin, new.series)


def test_a_company_or_a_face_value_that_changes_is_written_down_in_place():
    load(*masters.SHARES)
    load(changed(masters.RELIANCE, company="RELIANCE LTD", face="5"), *masters.SHARES[1:], at=later(1))
    row = Listing.objects.get(symbol="RELIANCE")
    assert (row.company, row.face_value, row.since) == ("RELIANCE LTD", 5, DAY)
    assert Instrument.objects.get(symbol="RELIANCE").name == "RELIANCE LTD"


def test_what_is_gone_is_closed_and_what_comes_back_is_opened_anew():
    load(*masters.SHARES)
    assert load(*masters.SHARES[1:], at=later(1)).changes.closed == 1
    assert dated("RELIANCE") == [("RELIND", "EQ", 23, 23)]
    assert Instrument.objects.filter(symbol="RELIANCE").exists()
    load(*masters.SHARES, at=later(3))
    assert dated("RELIANCE") == [("RELIND", "EQ", 23, 23), ("RELIND", "EQ", 26, None)]


def test_a_second_reading_of_a_day_puts_the_first_right():
    load(*masters.SHARES)
    load(changed(masters.RELIANCE, series="BE"), *masters.SHARES[1:], at=later(1))
    load(changed(masters.RELIANCE, series="BZ"), *masters.SHARES[1:], at=later(1.1))
    assert dated("RELIANCE") == [("RELIND", "EQ", 23, 23), ("RELIND", "BZ", 24, None)]
    load(*masters.SHARES, ("FRESH", "FRE", "9", "EQ", "FRESH", "INE000000009", "1"), at=later(2))
    load(*masters.SHARES, at=later(2.1))
    assert dated("FRESH") == []


def test_a_reading_for_an_earlier_day_counts_for_the_last_one():
    load(*masters.SHARES, at=later(2))
    reading = load(changed(masters.RELIANCE, series="BE"), *masters.SHARES[1:], at=MONDAY)
    assert reading.file.day == dt.date(2026, 11, 25)
    assert dated("RELIANCE") == [("RELIND", "BE", 25, None)]


def test_a_renamed_share_inherits_its_segment_tick_and_lot():
    zomato = ("ZOMATO", "ZOMLIM", "5097", "EQ", "ZOMATO LIMITED", "INE758T01015", "1")
    load(*masters.SHARES, zomato)
    Instrument.objects.filter(symbol="ZOMATO").update(segment="equity_fno", tick="0.10", lot=2, tick_since=DAY)
    load(*masters.SHARES, changed(zomato, symbol="ETERNAL", company="ETERNAL LIMITED"), at=later(1))
    share = Instrument.objects.get(symbol="ETERNAL")
    assert (share.segment, str(share.tick), share.lot, share.isec_code) == ("equity_fno", "0.10", 2, "ZOMLIM")
    assert instruments.resolve("ZOMATO", on=DAY).isec_code == "ZOMLIM"
    with pytest.raises(NotFound, match=r"ZOMATO has not been listed since 2026-11-23 \(it is ETERNAL now\)"):
        instruments.resolve("ZOMATO", on=later(1).date())


def test_what_somebody_wrote_by_hand_is_left():
    Instrument.objects.create(symbol="RELIANCE", name="Reliance", segment="equity_fno", tick="0.10", lot=3)
    Instrument.objects.create(symbol="DEMOBANK", name="Demo National Bank", is_demo=True)
    load(*masters.SHARES)
    share = Instrument.objects.get(symbol="RELIANCE")
    assert (share.name, share.segment, str(share.tick), share.lot) == ("Reliance", "equity_fno", "0.10", 3)
    assert (share.isec_code, share.token) == ("RELIND", "2885")
    assert Instrument.objects.get(symbol="DEMOBANK").isec_code == ""


FUTURES = (
    '"Token","InstrumentName","ShortName","Series"\n"1","FUTSTK","RELIND","FUTURE"\n"2","FUTIDX","NIFTY","FUTURE"\n'
)


def with_futures(text=FUTURES, *rows):
    return masters.archive(*(rows or masters.SHARES), more={"FONSEScripMaster.txt": text})


def test_the_archive_tells_which_shares_have_futures():
    Instrument.objects.create(symbol="TCS", segment="equity_fno")
    instruments.load(with_futures(), at=MONDAY)
    segments = dict(Instrument.objects.values_list("symbol", "segment"))
    assert (segments["RELIANCE"], segments["INFY"], segments["TCS"]) == ("equity_fno", "equity", "equity")
    load(*masters.SHARES, at=later(1))
    assert Instrument.objects.get(symbol="RELIANCE").segment == "equity_fno"


def test_a_list_of_futures_that_cannot_be_read_leaves_the_segments_and_says_so():
    Instrument.objects.create(symbol="TCS", segment="equity_fno")
    reading = instruments.load(with_futures("<html>"), at=MONDAY)
    assert Instrument.objects.get(symbol="TCS").segment == "equity_fno"
    assert reading.file.refused[0][0] == "FONSEScripMaster.txt"


# what is no master


GOOD = masters.archive(*masters.SHARES)


def bomb():
    """An archive whose member says it unpacks to four gigabytes."""
    made = bytearray(masters.archive(*masters.SHARES))
    at = made.rindex(b"PK\x01\x02")  # the last entry of the directory: uncompressed size stands 24 bytes in
    struct.pack_into("<I", made, at + 24, 4_000_000_000)
    return bytes(made)


WRONG = {
    "a truncated archive": (GOOD[:-200], "archive is damaged"),
    "half an archive": (GOOD[: len(GOOD) // 2], "archive is damaged"),
    "a flipped bit": (masters.archive(*masters.SHARES, compression=0).replace(b"RELIND", b"RELINE"), "Bad CRC-32"),
    "another archive": (masters.archive(content="x", name="other.txt"), "holds no NSEScripMaster.txt, but"),
    "two masters": (masters.archive(*masters.SHARES, more={"b/NSEScripMaster.txt": "x"}), "holds 2 NSEScripMaster"),
    "a bomb": (bomb(), "would unpack to 4,000,000,000 bytes"),
    "one endless line": (masters.archive(content="x" * 100_000), "longer than 20,000 bytes"),
    "a page": (b"<html><body>maintenance</body></html>", "not its header but '<html>"),
    "nothing": (b"", "not its header"),
    "nought bytes": (masters.archive(content=masters.text(("X", "C\0", "1", "EQ", "", "", "1"))), "is no text"),
    "an empty member": (masters.archive(content=""), "not its header"),
    "a cut line": (masters.archive(content=masters.text(*masters.SHARES)[:-30]), "cut off"),
    "no share at all": (masters.archive(*masters.NOISE), "none of its 7 rows is a share"),
}


@pytest.mark.parametrize(("content", "said"), WRONG.values(), ids=WRONG)
def test_what_is_no_master_is_one_clear_error_and_changes_nothing(content, said):
    load(*masters.SHARES, *masters.NOISE)
    before = state()
    with pytest.raises((BadInput, Invalid), match=said):
        instruments.load(content, at=later(1), force=True)
    assert state() == before


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"gone\.zip cannot be read: No such file"):
        instruments.load(tmp_path / "gone.zip", at=MONDAY)


def test_a_universe_that_shrinks_by_more_than_a_fifth_is_refused_unless_forced():
    load(*masters.filler(10))
    before = state()
    with pytest.raises(NotAllowed, match="holds 7 shares where 10 are known: it looks cut off"):
        load(*masters.filler(7), at=later(1))
    assert state() == before
    assert load(*masters.filler(8), at=later(1)).changes.closed == 2
    assert load(*masters.filler(2), at=later(2), force=True).changes.closed == 6


# names


@pytest.fixture
def listed():
    load(*EVERYTHING)


def resolve(word, on=DAY):
    return instruments.resolve(word, on=on)


@pytest.mark.parametrize("word", ["RELIANCE", " reliance ", "Reliance"])
def test_a_symbol_is_the_share_that_bears_it(listed, word):
    assert resolve(word).isec_code == "RELIND"


def test_a_word_that_is_also_a_fund_s_code_means_the_share(listed):
    assert (resolve("360ONE").token, resolve("MSCIINDIA").isec_code) == ("13061", "360ONE")


def test_a_code_is_never_taken_for_a_symbol(listed):
    with pytest.raises(BadInput, match=r"RELIND is the broker's code of RELIANCE \(did you mean RELIANCE\?\)"):
        resolve("RELIND")
    assert resolve("TCS").isec_code == "TCS"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("RELIANC", "did you mean RELIANCE"), ("INFOSYS", "did you mean INFY"), ("HDFC", "HDFCBANK"),
        ("QWZX", "is not a symbol NSE lists on 2026-11-23"),
    ],
)  # fmt: skip
def test_an_unknown_symbol_names_what_was_probably_meant(listed, word, said):
    with pytest.raises(NotFound, match=said):
        resolve(word)


def test_a_symbol_that_was_refused_says_why(listed):
    with pytest.raises(NotFound, match="ACROPETAL was refused in the master of 2026-11-23: token '0'"):
        resolve("ACROPETAL")


def test_a_symbol_that_is_refused_since_lately_says_why_too(listed):
    twice = changed(masters.TCS, token="11537")
    load(*EVERYTHING, twice, at=later(1))
    assert resolve("TCS").token == "11536"
    with pytest.raises(NotFound, match="TCS was refused in the master of 2026-11-24: several rows of one series"):
        resolve("TCS", on=later(1).date())


def test_no_word_is_no_symbol_and_no_master_says_what_to_do(db):
    with pytest.raises(BadInput, match="no symbol was named"):
        resolve("  ")
    with pytest.raises(NotFound, match=r"no security master was read .*load_instruments --fetch"):
        resolve("RELIANCE")


def test_a_day_has_the_names_of_that_day(listed):
    load(changed(masters.RELIANCE, code="RELNEW", token="9"), *masters.SHARES[1:], at=later(3))
    assert resolve("RELIANCE", on=dt.date(2026, 11, 25)).isec_code == "RELIND"
    assert resolve("RELIANCE", on=dt.date(2026, 11, 26)).isec_code == "RELNEW"
    assert resolve("RELIANCE", on=dt.date(2027, 3, 1)).isec_code == "RELNEW"
    assert resolve("RELIANCE", on=dt.date(2019, 1, 1)).isec_code == "RELIND"  # nothing older is known


def test_two_rows_that_hold_at_once_are_named(listed):
    Listing.objects.create(symbol="TCS", isec_code="TCSBE", token="77", series="BE", since=DAY)
    with pytest.raises(BadInput, match=r"TCS is ambiguous on 2026-11-23: EQ 11536 \(TCS\) and BE 77 \(TCSBE\)"):
        resolve("TCS")


def test_a_token_leads_to_its_share(listed):
    assert instruments.by_token("2885").symbol == "RELIANCE"
    with pytest.raises(NotFound, match="no share bears the exchange token '1'"):
        instruments.by_token("1")


def test_trade_to_trade_is_told_by_the_series(listed):
    assert instruments.trade_to_trade(resolve("DISHTV"))
    assert not instruments.trade_to_trade(resolve("RELIANCE"))


# fetching


class Answers(http.server.BaseHTTPRequestHandler):
    """Serves what the test says."""

    def do_GET(self):
        self.server.asked.append(self.path)
        status, body, told = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if told is None else told))
        self.end_headers()
        for at in range(0, len(body), 1000):
            self.wfile.write(body[at : at + 1000])
            time.sleep(self.server.pause)

    def log_message(self, *args):
        pass


@contextmanager
def serving(body=GOOD, status=200, told=None, pause=0.0):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.answer, server.asked, server.pause = (status, body, told), [], pause
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server, Addresses.of(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def nobody():
    """The addresses of a port at which nobody answers."""
    with serving() as (_, addresses):
        return addresses


def test_a_master_is_fetched_and_read():
    with serving() as (server, addresses):
        reading = instruments.fetch(at=MONDAY, addresses=addresses)
        assert server.asked == ["/MotherAppMaster/SecurityMaster.zip"]
    assert (reading.file.source, reading.file.usable) == (addresses.master, len(masters.SHARES))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 503, "body": b"busy"}, "503"), ({"status": 404, "body": b"gone"}, "404"),
        ({"body": b"<html>maintenance</html>"}, "no security master but begins '<html>maintenance"),
        ({"body": b""}, "begins ''"), ({"body": GOOD[:-300], "told": len(GOOD)}, "IncompleteRead|broke off"),
        ({"body": GOOD[:-200]}, "archive is damaged"), ({"body": bomb()}, "would unpack to"),
        ({"body": masters.archive(*masters.NOISE)}, "none of its 7 rows"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_master_is_one_clear_error_and_changes_nothing(answer, said):
    load(*masters.SHARES)
    before = state()
    with serving(**answer) as (_, addresses), pytest.raises(Transient, match=said):
        instruments.fetch(at=later(1), addresses=addresses)
    assert state() == before


def test_an_answer_larger_or_slower_than_any_master_is_cut_short(monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    with serving() as (_, addresses), pytest.raises(Transient, match="larger than 1,000 bytes"):
        archive.download(addresses.master)
    monkeypatch.setattr(archive, "MOST_BYTES", 10**6)
    monkeypatch.setattr(archive, "DEADLINE", 0.0)
    with serving() as (_, addresses), pytest.raises(Transient, match="took longer than 0 seconds"):
        archive.download(addresses.master)
    with serving(pause=0.3) as (_, addresses), pytest.raises(Transient, match="timed out"):
        archive.download(addresses.master, timeout=0.05)


def test_today_s_master_is_fetched_once():
    with serving() as (server, addresses):
        assert instruments.ensure(at=MONDAY, addresses=addresses) == ""
        assert instruments.ensure(at=later(0.2), addresses=addresses) == ""
        assert len(server.asked) == 1
        assert instruments.ensure(at=later(1), addresses=addresses) == ""
        assert len(server.asked) == 2


def test_a_master_loaded_from_disk_today_will_do_and_another_venue_s_will_not():
    load(*masters.SHARES)
    with serving() as (server, addresses):
        assert instruments.ensure(at=MONDAY, addresses=addresses) == ""
        assert server.asked == []
        MasterFile.objects.update(source="https://elsewhere.example/SecurityMaster.zip")
        instruments.ensure(at=MONDAY, addresses=addresses)
        assert len(server.asked) == 1


def test_without_today_s_master_the_desk_goes_on_with_the_last_and_says_so():
    load(*masters.SHARES)
    note = instruments.ensure(at=later(1), addresses=nobody())
    assert note.startswith("the security master of 2026-11-23 is still in use: the security master cannot be fetched")
    assert resolve("TCS").token == "11536"


def test_with_no_master_at_all_the_desk_says_what_to_do():
    with pytest.raises(Unavailable, match=r"no security master was ever read.*load_instruments --fetch"):
        instruments.ensure(at=MONDAY, addresses=nobody())


def test_in_the_morning_of_a_session_the_master_is_renewed():
    with serving() as (server, addresses):
        assert instruments.morning(at=MONDAY, addresses=addresses) == "no broker is set up"
        with override_settings(DESK=replace(settings.DESK, breeze_api_key="key")):
            assert instruments.morning(at=later(1), addresses=addresses) == "2026-11-24 is no trading day"
            assert instruments.morning(at=MONDAY, addresses=addresses) == f"{len(masters.SHARES)} shares"
        assert len(server.asked) == 1
