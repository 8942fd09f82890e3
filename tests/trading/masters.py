"""Security masters as the broker writes them, made on the spot: 61 columns, a header with a space after each comma."""

import io
import zipfile

HEADER = (
    '"Token", "ShortName", "Series", "CompanyName", "ticksize", "Lotsize", "DateOfListing", "DateOfDeListing", '
    '"IssuePrice", "FaceValue", "ISINCode", "52WeeksHigh", "52WeeksLow", "LifeTimeHigh", "LifeTimeLow", "HighDate", '
    '"LowDate", "Symbol", "InstrumentType", "PermittedToTrade", "IssueCapital", "WarningPercent", "FreezePercent", '
    '"CreditRating", "IssueRate", "IssueStartDate", "InterestPaymentDate", "IssueMaturityDate", "BoardLotQty", "Name", '
    '"ListingDate", "ExpulsionDate", "ReAdmissionDate", "RecordDate", "ExpiryDate", "NoDeliveryStartDate", '
    '"NoDeliveryEndDate", "MFill", "AON", "ParticipantInMarketIndex", "BookClsStartDate", "BookClsEndDate", "EGM", '
    '"AGM", "Interest", "Bonus", "Rights", "Dividends", "LocalUpdateDateTime", "DeleteFlag", "Remarks", '
    '"NormalMarketStatus", "OddLotMarketStatus", "SpotMarketStatus", "AuctionMarketStatus", "NormalMarketEligibility", '
    '"OddLotlMarketEligibility", "SpotMarketEligibility", "AuctionlMarketEligibility", "MarginPercentage", '
    '"ExchangeCode"'
)
MEMBER = "NSEScripMaster.txt"

# (symbol, code, token, series, company, ISIN, face value): what real masters taught us to look out for
RELIANCE = ("RELIANCE", "RELIND", "2885", "EQ", "RELIANCE INDUSTRIES", "INE002A01018", "10")
INFY = ("INFY", "INFTEC", "1594", "EQ", "INFOSYS LIMITED", "INE009A01021", "5")
TCS = ("TCS", "TCS", "11536", "EQ", "TATA CONSULTANCY SERVICES LTD", "INE467B01029", "1")
HDFCBANK = ("HDFCBANK", "HDFBAN", "1333", "EQ", "HDFC BANK LIMITED", "INE040A01034", "1")
HDFC_WARRANT = ("HDFCBANK", "HDFCW1", "1467", "W1", "HDFC BANK WARRANT", "INE040A13013", "0")
HDFC_BOND = ("HDFCBANK", "HDFCN1", "17320", "N1", "HDFC BANK 8.44%", "INE040A08377", "1000")
DISHTV = ("DISHTV", "DISHTV", "14540", "BE", "DISH TV INDIA LIMITED", "INE836F01026", "1")
GOLDBEES = ("GOLDBEES", "GOLDEX", "14428", "EQ", "NIPPON INDIA ETF GOLD BEES", "INF204KB17I5", "100")
# a share's NSE symbol that is a fund's code: 360ONE must never become the fund
SHARE_360 = ("360ONE", "IIFWEA", "13061", "EQ", "360 ONE WAM LIMITED", "INE466L01038", "1")
FUND_360 = ("MSCIINDIA", "360ONE", "763602", "EQ", "360 ONE MSCI INDIA ETF", "INF579M01BA0", "10")
ACROPETAL = ("ACROPETAL", "ACRTEC", "0", "BE", "ACROPETAL TECHNOLOGIES LIMITED", "INE055L01013", "10")
CHETTINAD = ("CHETTINAD", "CHECEM", "NA", "EQ", "CHETTINAD CEMENT CORPORATION L", "INE132B01011", "10")
COAL_OFFER = ("COAOFS", "COAOFS", "COAOFS", "EQ", "COAL INDIA OFS", "INE000000090", "10")
NIFTY = ("NIFTY 50", "NIFTY", "NIFTY 50", "0", "NIFTY 50", "", "0")
GILT = ("769GS2043", "769F43", "9888", "GS", "7.69% G-SEC. 17 JUN 43", "IN0020190040", "100")

SHARES = (RELIANCE, INFY, TCS, HDFCBANK, DISHTV, GOLDBEES, SHARE_360, FUND_360)
NOISE = (HDFC_WARRANT, HDFC_BOND, ACROPETAL, CHETTINAD, COAL_OFFER, NIFTY, GILT)


EMPTY = '""'


def line(symbol, code, token, series, company, isin, face):
    """Return one row as it stands in the file: text quoted, numbers not."""
    told = [f'"{token}"', f'"{code}"', f'"{series}"', f'"{company}"', "0.01", "1", EMPTY, EMPTY, "0", face]
    told += [f'"{isin}"', "0", "0", "156", "2.1", *3 * [EMPTY], "0", "0", "0", "1.75", "1.65", EMPTY, "0"]
    told += [*3 * [EMPTY], "0", *22 * [EMPTY], '"0"', "0", "0", "0", *5 * [EMPTY], f'"{symbol}"']
    return ",".join(told)


def filler(count, first=0):
    """Return ``count`` ordinary shares."""
    return [
        (f"FILL{n}", f"FI{n}", f"{500_000 + n}", "EQ", f"FILLER {n} LIMITED", f"INE{n:06d}010", "10")
        for n in range(first, first + count)
    ]


def text(*rows):
    """Return the file's text."""
    return "\n".join([HEADER, *(line(*row) for row in rows)]) + "\n"


def archive(*rows, content=None, name=MEMBER, compression=zipfile.ZIP_DEFLATED, more=None):
    """Return the zip as the broker serves it, a neighbour's file first; ``content`` stands for the rows' text."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", compression) as made:
        made.writestr("BSEScripMaster.txt", "Token,ShortName\n1,SKIP\n")
        for other, text_of_it in (more or {}).items():
            made.writestr(other, text_of_it)
        made.writestr(name, text(*rows) if content is None else content)
    return body.getvalue()
