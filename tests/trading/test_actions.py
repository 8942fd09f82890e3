"""Corporate actions in the desk: recorded whole or not at all, and applied whenever bars are read."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotFound
from tests.trading import masters
from tests.trading.bar_files import bar, days, minutes, write
from tests.trading.desks import command
from trading.core.errors import Invalid
from trading.models import CorporateAction
from trading.services import actions, bars, instruments, markets
from trading.services.actions import Told

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=IST)
TODAY = NOON.date()
EX = dt.date(2024, 10, 28)
D = Decimal

WHOLE = """symbol,kind,ex_date,terms,ratio,price,cum_close,amount,known_on,source
RELIANCE,bonus,2024-10-28,1:1,,,,,2024-09-05,NSE circular
NESTLEIND,SPLIT,2024-01-05,,10:1,,,,,
GRASIM,rights,2024-01-10,,6:179,1812,2086.70,,,

TCS,dividend,2024-01-19,,,,3903.15,18,,
ITC,demerger,2025-01-06,0.945,,,,,2025-01-06,
"""


@pytest.fixture
def file(tmp_path):
    def made(text, name="actions.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return made


def told(symbol="RELIANCE", kind="bonus", ex_date=EX, terms="1:1", **more):
    return Told(symbol, kind, ex_date, terms, **more)


def rows():
    return list(CorporateAction.objects.order_by("pk").values())


def load(path, **more):
    return actions.import_csv(path, at=NOON, by="asha", **more)


# files


def test_every_kind_is_recorded_with_its_factors(file):
    done = load(file(WHOLE))
    assert (done.added, done.changed, done.same, done.dryrun) == (5, 0, 0, False)
    found = {row.symbol: (row.kind, row.price_factor, row.volume_factor, row.terms) for row in _all()}
    assert found == {
        "RELIANCE": ("bonus", D("0.5"), D(2), "bonus 1:1"),
        "NESTLEIND": ("split", D("0.1"), D(10), "split 10:1"),
        "GRASIM": ("rights", D("0.995730488719"), D("1.004287818169"), "rights 6:179 at 1812 cum 2086.7"),
        "TCS": ("dividend", D("0.995388340187"), D(1), "dividend 18 cum 3903.15"),
        "ITC": ("demerger", D("0.945"), D(1), "demerger 0.945"),
    }
    row = CorporateAction.objects.get(symbol="RELIANCE")
    assert (row.known_on, row.source, row.created_by) == (dt.date(2024, 9, 5), "NSE circular", "asha")
    assert CorporateAction.objects.get(symbol="TCS").known_on == dt.date(2024, 1, 19)
    assert CorporateAction.objects.get(symbol="TCS").source == "actions.csv"


def _all():
    return CorporateAction.objects.all()


def test_an_announced_action_is_known_from_today_on(file):
    load(file("symbol,kind,ex_date,terms\nTCS,bonus,2026-12-07,1:1\n"))
    assert CorporateAction.objects.get().known_on == TODAY


def test_importing_again_changes_what_the_file_changed(file):
    load(file(WHOLE))
    before = rows()
    assert load(file(WHOLE)).same == 5
    assert rows() == before
    done = load(file(WHOLE.replace("0.945", "0.95")))
    assert (done.added, done.changed, done.same) == (0, 1, 4)
    assert CorporateAction.objects.get(symbol="ITC").price_factor == D("0.95")


def test_a_later_import_does_not_move_the_day_it_was_known(file):
    path = file("symbol,kind,ex_date,terms\nTCS,bonus,2026-12-07,1:1\n")
    load(path)
    assert actions.import_csv(path, at=NOON + dt.timedelta(days=3), by="asha").same == 1
    assert CorporateAction.objects.get().known_on == TODAY


def test_a_rehearsal_tells_all_and_records_nothing(file):
    done = load(file(WHOLE), dryrun=True)
    assert (done.added, done.dryrun, rows()) == (5, True, [])
    assert done.actions[0] == "RELIANCE 2024-10-28 bonus 1:1: prices × 0.500000000000"


HEAD = "symbol,kind,ex_date,terms\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 is not the header: no column symbol, kind, ex_date"),
        ("symbol,kind,terms\n", "no column ex_date"),
        ("symbol,kind,ex_date,factor\n", "unknown or repeated columns factor"),
        ("symbol,kind,ex_date,kind\n", "unknown or repeated"),
        (HEAD, "holds no action, only its header"),
        (HEAD + "TCS,bonus,2024-10-28\n", "line 2 has 3 columns, the header 4"),
        (HEAD + "TCS,merger,2024-10-28,1:1\n", "line 2: kind 'merger' is not known"),
        (HEAD + "TCS,bonus,28-10-2024,1:1\n", "line 2: ex_date '28-10-2024' is not a date"),
        (HEAD + "TCS,bonus,2024-10-27,1:1\n", "line 2: the ex-date 2024-10-27, a Sunday, is no trading day"),
        (HEAD + "TCS,bonus,1924-10-28,1:1\n", "line 2: the ex-date 1924-10-28 cannot be"),
        (HEAD + "T CS,bonus,2024-10-28,1:1\n", "line 2: 'T CS' is not a symbol"),
        (HEAD + "TCS,bonus,2024-10-28,1:1\nINFY,bonus,2024-10-28,x\n", "line 3: bonus terms 'x' cannot be read"),
        (HEAD + "TCS,bonus,2024-10-28,1:1\ntcs,BONUS,2024-10-28,1:2\n", "line 3: a second bonus of TCS on 2024-10-28"),
        (HEAD + "TCS,split,2024-10-28,1:5\n", "the face value falls in a split"),
        ("symbol,kind,ex_date,terms,known_on\nTCS,bonus,2024-10-28,1:1,2027-01-04\n", "known_on 2027-01-04 lies"),
        ("symbol,kind,ex_date,terms,price\nTCS,bonus,2024-10-28,1:1,5\n", "bonus terms '1:1 at 5' cannot be read"),
        (HEAD + 'TCS,bonus,2024-10-28,"1:1' + "x" * 140_000, "cannot be read: field larger"),
        (b"\xff\xfe\x00symbol", "is not UTF-8 text"), (HEAD + "\0", "is no text"),
        (HEAD + "A,b,c,d\n" * 9, "line 2: .*and 4 more"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_is_named_and_nothing_is_recorded(file, text, said):
    load(file(WHOLE))
    before = rows()
    with pytest.raises(BadInput, match=said):
        load(file(text))
    assert rows() == before


def test_a_file_that_is_not_there_or_too_large_is_named(tmp_path, monkeypatch):
    with pytest.raises(BadInput, match=r"none\.csv cannot be read: No such file"):
        load(tmp_path / "none.csv")
    monkeypatch.setattr(actions, "MOST_BYTES", 10)
    (tmp_path / "large.csv").write_text(WHOLE)
    with pytest.raises(BadInput, match="larger than 10 bytes"):
        load(tmp_path / "large.csv")


def test_a_broker_s_code_is_no_symbol(file):
    instruments.load(masters.archive(*masters.SHARES), at=NOON)
    with pytest.raises(BadInput, match="line 2: RELIND is the broker's code of RELIANCE"):
        load(file(HEAD + "RELIND,bonus,2024-10-28,1:1\n"))
    load(file(HEAD + "360ONE,split,2023-03-02,2:1\n"))
    assert CorporateAction.objects.get().symbol == "360ONE"


def test_an_action_is_recorded_and_put_right_by_hand():
    row = actions.record(told(), at=NOON, by="asha")
    actions.record(told(terms="2:1"), at=NOON, by="ravi", pk=row.pk)
    (kept,) = _all()
    assert (kept.terms, kept.created_by) == ("bonus 2:1", "ravi")
    with pytest.raises(BadInput, match="is recorded already"):
        actions.record(told(), at=NOON, by="asha")
    with pytest.raises(NotFound, match="there is no action 999"):
        actions.record(told(symbol="TCS"), at=NOON, by="asha", pk=999)
    with pytest.raises(Invalid):
        actions.record(told(symbol="TCS", terms="?"), at=NOON, by="asha")


def test_a_day_sees_what_was_known_and_effective_by_then():
    actions.record(told(known_on=dt.date(2024, 9, 5)), at=NOON, by="asha")
    actions.record(told(kind="demerger", terms="0.9", ex_date=dt.date(2025, 1, 6)), at=NOON, by="asha")
    kinds = {day: [a.kind for a in actions.as_of("reliance", day)] for day in (dt.date(2024, 10, 25), EX, TODAY)}
    assert list(kinds.values()) == [[], ["bonus"], ["bonus", "demerger"]]
    assert [a.kind for a in actions.of("RELIANCE")] == ["bonus", "demerger"]
    assert actions.of("TCS") == ()


# reading


BONUS = dt.date(2024, 1, 10)
SPAN = dt.date(2024, 1, 8), dt.date(2024, 1, 12)


@pytest.fixture
def folder(tmp_path):
    """Five-minute bars of a bank around a 1:1 bonus that the older rows do not carry."""
    quiet = [bar(row.time, at, 300.0 if row.time.date() < BONUS else 150.0) for at, row in enumerate(minutes(*SPAN, 5))]
    write(tmp_path / "FEDERALBNK_5m.csv", quiet)
    return tmp_path


def lane(folder, end=SPAN[1]):
    wanted = markets.want(str(folder), ["FEDERALBNK"], "5minute", SPAN[0], end, today=TODAY)
    return markets.lanes(wanted, at=NOON)[0].bars


def bonus(**more):
    return actions.record(told(symbol="FEDERALBNK", ex_date=BONUS, **more), at=NOON, by="asha")


def test_bars_that_break_are_refused_until_the_action_is_recorded(folder):
    with pytest.raises(BadInput, match=r"old to new as 2 to 1.*record it \(manage.py import_actions\)"):
        lane(folder)
    raw = bars.feed(folder, at=NOON, naive_timezone="Asia/Kolkata").series("FEDERALBNK", "5minute").bars
    bonus()
    seen = lane(folder)
    assert len(seen) == 375
    before = seen.ts < dt.datetime(2024, 1, 10, tzinfo=IST).timestamp()
    assert (seen.close[before] == raw.close[before] / 2).all()
    assert (seen.volume[before] == raw.volume[before] * 2).all()
    assert (seen.close[~before] == raw.close[~before]).all()
    again = bars.feed(folder, at=NOON, naive_timezone="Asia/Kolkata").series("FEDERALBNK", "5minute").bars
    assert (again.close == raw.close).all()


def test_a_run_that_ends_before_the_action_reads_the_bars_of_its_own_days(folder):
    bonus()
    assert lane(folder, end=dt.date(2024, 1, 9)).close.max() > 290


def test_an_action_nobody_knew_then_does_not_excuse_the_break(folder):
    bonus(known_on=dt.date(2024, 2, 1))
    with pytest.raises(BadInput, match="old to new as 2 to 1"):
        lane(folder)


def test_the_wrong_action_does_not_excuse_the_break(folder):
    actions.record(told(symbol="FEDERALBNK", ex_date=BONUS, kind="demerger", terms="0.97"), at=NOON, by="asha")
    with pytest.raises(BadInput, match="old to new as 2 to 1"):
        lane(folder)


def test_an_action_of_another_share_changes_nothing(tmp_path):
    write(tmp_path / "ACME_1d.csv", days(*SPAN))
    wanted = markets.want(str(tmp_path), ["ACME"], "1day", *SPAN, today=TODAY)
    before = markets.lanes(wanted, at=NOON)[0].bars
    bonus()
    after = markets.lanes(wanted, at=NOON)[0].bars
    for one, other in zip(before.columns(), after.columns(), strict=True):
        assert (one == other).all()


def test_daily_bars_made_of_minutes_are_adjusted_alike(folder):
    bonus()
    wanted = markets.want(str(folder), ["FEDERALBNK"], "1day", *SPAN, today=TODAY)
    seen = markets.lanes(wanted, at=NOON)[0].bars
    assert (len(seen), seen.high.max() < 160) == (5, True)


def test_a_day_without_an_end_is_read_as_of_the_present(folder):
    bonus()
    found = bars.load(folder, "FEDERALBNK", "5minute", None, None, at=NOON, naive_timezone="Asia/Kolkata")
    assert found.bars.close.max() < 160
    moment = dt.datetime(2024, 1, 9, 15, 0, tzinfo=IST)
    found = bars.load(folder, "FEDERALBNK", "5minute", None, moment, at=NOON, naive_timezone="Asia/Kolkata")
    assert found.bars.close.max() > 290


# commands


def test_the_command_imports_rehearses_and_refuses(file):
    path = file(WHOLE)
    code, out, _ = command("import_actions", path, "--dryrun")
    assert (code, rows()) == (0, [])
    assert "RELIANCE 2024-10-28 bonus 1:1" in out
    assert out.strip().endswith("5 new, 0 changed, 0 as before: would be recorded")
    code, out, _ = command("import_actions", path, "--json")
    assert (code, json.loads(out)["added"], CorporateAction.objects.count()) == (0, 5, 5)
    code, _, err = command("import_actions", file("nonsense\n"))
    assert (code, err.count("\n")) == (2, 1)
    assert "line 1 is not the header" in err


def test_a_long_file_is_not_told_in_full(file):
    text = HEAD + "".join(f"ACME{n},bonus,2024-10-28,1:1\n" for n in range(30))
    assert "and 10 more" in command("import_actions", file(text))[1]


def test_the_master_is_loaded_by_a_command(tmp_path):
    path = tmp_path / "SecurityMaster.zip"
    path.write_bytes(masters.archive(*masters.SHARES, *masters.NOISE))
    code, out, _ = command("load_instruments", path)
    assert code == 0
    assert "8 shares of 15 rows" in out
    assert "8 new, 0 changed, 0 gone" in out
    assert "360ONE is also the code of MSCIINDIA; it means the NSE symbol" in out
    assert "HDFCBANK: W1 1467 (HDFCW1) set aside: EQ 1333 (HDFBAN) is used" in out
    assert "3 shares have no token" in out
    assert "nothing to do" in command("load_instruments", path)[1]
    told = json.loads(command("load_instruments", path, "--json")[1])
    assert (told["fresh"], told["usable"], told["collisions"]) == (False, 8, [["360ONE", "MSCIINDIA"]])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say where the master is"), (["x.zip", "--fetch"], "say where the master is"),
        (["x.zip"], "x.zip cannot be read"),
    ],
)  # fmt: skip
def test_a_master_that_is_nowhere_is_one_line_and_exit_2(words, said):
    code, _, err = command("load_instruments", *words)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err


def test_a_master_with_many_refusals_is_not_told_in_full(tmp_path):
    path = tmp_path / "m.txt"
    twice = [(*row[:2], f"9{row[2]}", *row[3:]) for row in masters.filler(20)]
    path.write_text(masters.text(*masters.SHARES, *masters.filler(20), *twice))
    assert "and 8 more (--json shows all)" in command("load_instruments", path)[1]


def test_a_file_is_sound_once_its_break_is_recorded(folder):
    path = folder / "FEDERALBNK_5m.csv"
    assert command("validate_bars", path, "--no-record")[0] == 2
    bonus()
    code, out, _ = command("validate_bars", path, "--no-record")
    assert code == 0
    assert "adjusted_action" in out
